import { isIPv6 } from 'node:net';
import type { Detector, Span } from './detector.ts';
import { isDigit, isLetter, isWordCharacter, textBefore } from './edges.ts';

/** Addresses of the Internet Protocol, version 4 in four decimal numbers, version 6 in any of its forms (RFC 4291, RFC 4007). */
export const ipDetector: Detector = {
  kind: 'ip',
  find: (text) => {
    const sixes = findVersion6(text);
    // The tail of ::ffff:192.0.2.1 is found with its head.
    const ends = new Set(sixes.map(({ end }) => end));
    const fours = findVersion4(text).filter(({ end }) => !ends.has(end));
    return [...fours, ...sixes].sort((a, b) => a.start - b.start);
  },
};

const version4 = /([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})/g;

function findVersion4(text: string): Span[] {
  return [...text.matchAll(version4)]
    .filter(({ 0: all, index }) => {
      const span = { start: index, end: index + all.length };
      const numbers = all.split('.').map(Number);
      return (
        numbers.every((number) => number <= 255) && isHost(numbers) && isApart(text, span) && !isVersion(text, span)
      );
    })
    .map(({ 0: all, index }) => ({ start: index, end: index + all.length }));
}

/** Masks, and numbers that end in .0.0.0 as versions do, name no host. */
function isHost([first, second, third, fourth]: readonly number[]): boolean {
  return first !== 255 && (second !== 0 || third !== 0 || fourth !== 0);
}

const fileEnding = /^\.(?:7z|apk|bz2|deb|dll|dmg|exe|gz|jar|js|log|msi|rpm|so|tar|tgz|txt|war|whl|xz|zip)\b/i;

function isApart(text: string, { start, end }: Span): boolean {
  const before = text[start - 1];
  if (isWordCharacter(before) || before === '.') return false;
  if (before === '-' && isLetter(text[start - 2])) return false;
  const after = text[end];
  if (isWordCharacter(after) || (after === '.' && isDigit(text[end + 1]))) return false;
  if (after === '-' && isLetter(text[end + 1])) return false;
  return !fileEnding.test(text.slice(end, end + 5));
}

/** How far before a number the word may stand that makes it a version. */
const reach = 24;
const versionWords =
  /(?:\b(?:v|ver|vers|versions?|versión|versione|rel|releases?|rev|revision|build|firmware|fw|drivers?|bios|sections?|sec|chapters?|clauses?|paragraphs?|para|oid|kapitel|abschnitt|ziffer)|§)[.:]? {0,2}(?:is |of |to |from |v)?[:=(]? ?$/i;

/** A product and its version, as in OpenSSL/3.0.2.0; hosts are written in small letters: localhost/127.0.0.1. */
const product = /(?:^|[^A-Za-z0-9])[A-Z][A-Za-z_]*[a-z][A-Za-z_]*\/$/;

function isVersion(text: string, { start }: Span): boolean {
  const before = textBefore(text, start, reach);
  return versionWords.test(before) || product.test(before);
}

/** Characters of version 6, a zone excluded. */
const version6 = /[0-9A-Fa-f:.]+/g;
const shortestVersion6 = '::1'.length;
const longestVersion6 = 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255'.length;
const zone = /^%[0-9A-Za-z._~-]{1,32}/;

function findVersion6(text: string): Span[] {
  const found: Span[] = [];
  for (const { 0: run, index } of text.matchAll(version6)) {
    if (run.length > longestVersion6 + 2 || run.length < shortestVersion6) continue;
    const address = trim(run);
    const start = index + run.indexOf(address);
    const end = start + address.length;
    if (!isVersion6(address) || isWordCharacter(text[start - 1]) || isWordCharacter(text[end])) continue;
    const name = zone.exec(text.slice(end, end + 40))?.[0].replace(/[.~-]+$/, '') ?? '';
    found.push({ start, end: name.length > 1 ? end + name.length : end });
  }
  return found;
}

/** Without the punctuation of the sentence around it. */
function trim(run: string): string {
  const tail = run.replace(/\.+$/, '');
  const before = tail.startsWith(':') && !tail.startsWith('::') ? tail.slice(1) : tail;
  return before.endsWith(':') && !before.endsWith('::') ? before.slice(0, -1) : before;
}

/** Two colons between letters alone are rather a name in a program: `ad::ed`. */
function isVersion6(address: string): boolean {
  if (address.length < shortestVersion6 || !address.includes(':')) return false;
  return isIPv6(address) && (/[0-9]/.test(address) || address.split(':').length > 3);
}

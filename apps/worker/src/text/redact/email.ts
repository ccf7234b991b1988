import { isIP } from 'node:net';
import type { Detector, Span } from './detector.ts';

/** RFC 5321: most characters of a local part, of a label and of a domain. */
const most = { local: 64, label: 63, domain: 253 } as const;

/** Characters of a local part beside letters and digits; what programs and prose put around addresses is left out. */
const localMarks = /[.!#$%&'*+\-^_~]/;
const latin = /[0-9A-Za-z\u00c0-\u024f]/;
const anyLetter = /[\p{L}\p{M}\p{N}]/u;

/** E-mail addresses (RFC 5321, RFC 6531), also with `%40` for the @ as in URLs, with a quoted local part or an IP address. */
export const emailDetector: Detector = {
  kind: 'email',
  find(text) {
    const found: Span[] = [];
    let free = 0;
    const signs = /@|%40/g;
    for (let match = signs.exec(text); match !== null; match = signs.exec(text)) {
      const end = endOfDomain(text, match.index + match[0].length);
      if (end === undefined) continue;
      const start = startOfLocal(text, match.index, free);
      if (start === undefined || isNoAddress(text, { start, end }, match.index)) continue;
      found.push({ start, end });
      free = end;
      signs.lastIndex = end;
    }
    return found;
  },
};

/** Where the local part before an @ begins; `free`: not before that place. */
function startOfLocal(text: string, sign: number, free: number): number | undefined {
  const first = text[sign - 1];
  if (first === '"') return startOfQuoted(text, sign, free);
  const letters = first !== undefined && latin.test(first) ? latin : anyLetter;
  const least = Math.max(free, sign - most.local - 1);
  let start = sign;
  while (start > least && isLocal(text[start - 1], letters)) start -= 1;
  start += lengthOfEncodedSigns(text.slice(start, sign));
  // What stands at the edge is not of the address: emphasis, quotes, the end of a sentence.
  while (start < sign && !/[\p{L}\p{N}_+]/u.test(text[start] ?? '')) start += 1;
  const local = text.slice(start, sign);
  if (local === '' || local.length > most.local || local.endsWith('.') || local.includes('..')) return undefined;
  return start;
}

/** Up to the last sign of a URL that is percent-encoded (%3D, %2F); only + . - and _ may be of an address. */
function lengthOfEncodedSigns(local: string): number {
  const last = [...local.matchAll(/%(?!2B|2D|2E|5F)[0-9A-F]{2}/gi)].at(-1);
  return last === undefined ? 0 : last.index + 3;
}

function isLocal(character: string | undefined, letters: RegExp): boolean {
  return character !== undefined && (letters.test(character) || localMarks.test(character));
}

/** A quoted local part: it must stand behind a space or an opening mark, and have a letter or digit in it. */
function startOfQuoted(text: string, sign: number, free: number): number | undefined {
  const start = text.lastIndexOf('"', sign - 2);
  if (start < free || sign - start > most.local + 2 || sign - start < 3) return undefined;
  if (start > 0 && !/[\s<([,;:]/.test(text[start - 1] ?? '')) return undefined;
  const local = text.slice(start + 1, sign - 1);
  return anyLetter.test(local) && !/[\r\n]/.test(local) ? start : undefined;
}

/** Where the domain behind an @ ends; undefined if there is none. */
function endOfDomain(text: string, start: number): number | undefined {
  if (text[start] === '[') return endOfLiteral(text, start);
  const first = text[start];
  // Beside scripts without spaces a Latin domain ends where its letters do.
  if (first !== undefined && latin.test(first)) {
    const end = endOfName(text, start, latin);
    if (end !== undefined) return end;
  }
  return endOfName(text, start, anyLetter);
}

/** Labels with full stops between them, the last without a digit, or in the form of an international one. */
function endOfName(text: string, start: number, letters: RegExp): number | undefined {
  const bound = Math.min(text.length, start + most.domain);
  let end = start;
  while (end < bound && (letters.test(text[end] ?? '') || /[.-]/.test(text[end] ?? ''))) end += 1;
  const name = /^[^.]+(?:\.[^.]+)*/.exec(text.slice(start, end).replace(/[.-]+$/, ''))?.[0] ?? '';
  const labels = name.split('.');
  while (labels.length > 1 && !isTop(labels.at(-1) ?? '')) labels.pop();
  return labels.length > 1 && labels.every(isLabel) ? start + labels.join('.').length : undefined;
}

function isLabel(label: string): boolean {
  return label !== '' && label.length <= most.label && !label.startsWith('-') && !label.endsWith('-');
}

function isTop(label: string): boolean {
  return label.startsWith('xn--') || /^[\p{L}\p{M}]{2,}$/u.test(label);
}

function endOfLiteral(text: string, start: number): number | undefined {
  const literal = /^\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]/.exec(text.slice(start, start + 60));
  return literal !== null && isIP(literal[1] ?? '') !== 0 ? start + literal[0].length : undefined;
}

/** Images for fine screens (icon@2x.png), the user part of a URL, and the git@host: of a repository. */
function isNoAddress(text: string, { start, end }: Span, sign: number): boolean {
  if (text[start - 1] === '/' && text[start - 2] === '/') return true;
  if (/^@[0-9]x\.[a-z]{3,4}$/.test(text.slice(sign, Math.min(end, sign + 8)))) return true;
  return text.slice(start, sign) === 'git' && text[end] === ':';
}

import type { Detector, Span } from './detector.ts';
import { isDigit, isWordCharacter } from './edges.ts';
import { ibanFormats } from './iban-formats.ts';

/** Between two characters of an account number at most one of these. */
const separator = /^[ \-.]$/;
const places: Readonly<Record<string, RegExp>> = { n: /^[0-9]$/, a: /^[A-Z]$/, c: /^[0-9A-Z]$/ };

/** International bank account numbers: format of the country (ISO 13616) and check digits (ISO/IEC 7064, MOD 97-10). */
export const ibanDetector: Detector = {
  kind: 'iban',
  find(text) {
    const found: Span[] = [];
    const head = /[A-Za-z]{2}[0-9]{2}/g;
    for (let match = head.exec(text); match !== null; match = head.exec(text)) {
      const end = endOfIban(text, match.index);
      if (end === undefined) continue;
      found.push({ start: match.index, end });
      head.lastIndex = end;
    }
    return found;
  },
};

/** Where the account number that begins at `start` ends; undefined if there is none. */
function endOfIban(text: string, start: number): number | undefined {
  if (isWordCharacter(text[start - 1])) return undefined;
  const head = text.slice(start, start + 4).toUpperCase();
  const format = ibanFormats.get(head.slice(0, 2));
  // 00, 01 and 99 leave the same remainders as 97, 98 and 02, which are the ones that are used.
  if (format === undefined || /0[01]$|99$/.test(head)) return undefined;
  let account = '';
  let at = start + 4;
  for (const place of format) {
    if (separator.test(text[at] ?? '')) at += 1;
    const character = (text[at] ?? '').toUpperCase();
    if (places[place]?.test(character) !== true) return undefined;
    account += character;
    at += 1;
  }
  const goesOn = isWordCharacter(text[at]) || (text[at] === '-' && isDigit(text[at + 1]));
  return !goesOn && remainderBy97(`${account}${head}`) === 1 ? at : undefined;
}

/** The remainder of a division by 97, letters read as the numbers from 10 (A) to 35 (Z). */
export function remainderBy97(text: string): number {
  let remainder = 0;
  for (const character of text) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder;
}

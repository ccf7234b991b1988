import type { Span } from './detector.ts';

const wordCharacter = /^[0-9A-Za-z_\u00c0-\u024f\u0370-\u052f]$/;
const letter = /^[A-Za-z\u00c0-\u024f\u0370-\u052f]$/;
const digit = /^[0-9]$/;

/**
 * Whether the character belongs to a word that a number could be part of. Letters of scripts that put no spaces between
 * words do not count: there a number may stand right beside them.
 */
export function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && wordCharacter.test(character);
}

export function isLetter(character: string | undefined): boolean {
  return character !== undefined && letter.test(character);
}

export function isDigit(character: string | undefined): boolean {
  return character !== undefined && digit.test(character);
}

/** Whether nothing that belongs to a longer word or number touches the span. */
export function standsAlone(text: string, { start, end }: Span): boolean {
  return !isWordCharacter(text[start - 1]) && !isWordCharacter(text[end]);
}

/** Whether the span is one side of a decimal fraction, or has a further group behind a full stop: `0.4111`, `4111.55`. */
export function isPartOfDecimal(text: string, { start, end }: Span): boolean {
  const before = text[start - 1];
  if (before === '.' && isDigit(text[start - 2])) return true;
  // A comma also separates the fields of a table: only behind a lone zero it must be a decimal sign.
  if (before === ',' && text[start - 2] === '0' && !isDigit(text[start - 3])) return true;
  return text[end] === '.' && isDigit(text[end + 1]);
}

/** Up to `length` characters before a place. */
export function textBefore(text: string, index: number, length: number): string {
  return text.slice(Math.max(0, index - length), index);
}

import { abbreviationsOf, hasOrdinalDots } from './abbreviations.ts';
import { stopWordsOf } from './stop-words.ts';

/** Where two pieces of a text meet. */
export interface Seam {
  /** The end of what is before, with its white space; at most `seamUnits`. */
  readonly before: string;
  /** The beginning of what is after; at most `seamUnits`. */
  readonly after: string;
}

/** As much of both sides as matters. UTF-16 units. */
export const seamUnits = 48;

const marksAlone = /^[^\p{L}\p{N}\p{S}]*$/u;
/** "1.", "(b)", "iv." before what they number. */
const enumerator = /^[([]?(?:\p{N}{1,3}|\p{L}|[ivxIVX]{2,5})[.)]+$/u;
const lowerAtStart = /^\p{Ll}/u;

/**
 * Whether a sentence goes on where the rules of Unicode (UAX #29) end it: they know no abbreviations, and take every question
 * mark in a URL for the end of a question.
 */
export function goesOn({ before, after }: Seam, language: string | null): boolean {
  const end = before.trimEnd();
  const next = after.trimStart();
  if (marksAlone.test(next) || marksAlone.test(end) || enumerator.test(end.trimStart())) return true;
  // "Stop!" he said. « Halte ! » dit-il. 「はい。」と言った。
  if (/[.!?…]["'”’»)\]]+$/.test(end) && lowerAtStart.test(next)) return true;
  if (/^["'”’»)\]]+(?:\s|$)/.test(next)) return true;
  if (/[」』]$/.test(end) && /^(?:と|って|など)/.test(next)) return true;
  if (end === before && next === after) return isInsideWord(end, next);
  return end.endsWith('.') && !end.endsWith('..') && isAbbreviated(end, next, language);
}

/** Without white space between: an address, a file, a version. */
function isInsideWord(end: string, next: string): boolean {
  if (!/[.!?]$/.test(end)) return false;
  return /^[\p{Ll}\p{N}]/u.test(next) || /[/@=&\\#_]\S*$/.test(end);
}

const lastWord = /[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}.'’-]*$/u;
const firstWord = /[\p{L}\p{N}][\p{L}\p{M}\p{N}'’-]*/u;

function isAbbreviated(end: string, next: string, language: string | null): boolean {
  const [word] = lastWord.exec(end.slice(0, -1)) ?? [];
  if (word === undefined) return false;
  const [following = ''] = firstWord.exec(next) ?? [];
  const { open, beforeNumber, either } = abbreviationsOf(language);
  const lower = word.toLowerCase();
  if (open.has(lower)) return true;
  if (beforeNumber.has(lower) && /^(?:\p{N}|[IVXLCDM]+$)/u.test(following)) return true;
  if (!mayBeShort(word, next, { either, language })) return false;
  // What begins with a function word is a new sentence: "in the U.S. The president", not "the U.S. Army".
  return !stopWordsOf(language).has(following.toLowerCase());
}

interface Knowledge {
  readonly either: ReadonlySet<string>;
  readonly language: string | null;
}

/** Whether a full stop behind a word may belong to the word: "Inc.", "J.", "z. B.", "U.S.", "3." where that is an ordinal. */
function mayBeShort(word: string, next: string, { either, language }: Knowledge): boolean {
  if (either.has(word.toLowerCase())) return true;
  if (/^\p{L}$/u.test(word)) {
    if (/^\p{L}\.(?:\s|$)/u.test(next)) return true;
    return /^\p{Lu}$/u.test(word) && !(language === 'en' && word === 'I');
  }
  if (/^(?:\p{L}\.)+\p{L}$/u.test(word)) return true;
  return hasOrdinalDots(language) && /^(?:\p{N}{1,2}|[IVXLC]+)$/u.test(word);
}

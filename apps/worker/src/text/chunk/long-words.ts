import { levels } from './borders.ts';
import { graphemeEnds, wordEnds } from './graphemes.ts';

/** A part of a word; `level`: of the border behind it. */
export interface WordPart {
  readonly end: number;
  readonly level: number;
}

/** UTF-16 units of a part, unless a grapheme is longer. */
const shortestPart = 4;
const longestPart = 16;
/** One border in so many, by what stands before it. */
const borderEvery = 8;

/**
 * Takes what has no white space apart: where words end (a language without spaces, an address, code), else inside the word, never
 * inside a grapheme. Where inside depends on the last characters alone, so that the borders behind an edit stay.
 */
export function* wordParts(text: string, start: number, end: number): Generator<WordPart> {
  const ends = wordEnds(text, start, end);
  let wordEnd = ends.next().value ?? end;
  let from = start;
  for (const at of graphemeEnds(text, start, end)) {
    while (wordEnd < at) wordEnd = ends.next().value ?? end;
    const length = at - from;
    if (at === wordEnd) yield { end: at, level: levels.part };
    else if (length >= longestPart || (length >= shortestPart && isMark(text, at))) {
      yield { end: at, level: levels.grapheme };
    } else continue;
    from = at;
  }
}

function isMark(text: string, at: number): boolean {
  let hash = 0;
  for (let before = at - shortestPart; before < at; before += 1)
    hash = Math.imul(hash + text.charCodeAt(before), 0x9e3779b1);
  return (hash >>> 16) % borderEvery === 0;
}

/**
 * Where characters as people see them (graphemes) and words end, by Intl.Segmenter. The segmenter copies its whole text at each
 * step (0.4 ms a step in a text of 560 kB), so it is given short windows, and none where the answer is plain.
 */
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
const words = new Intl.Segmenter('und', { granularity: 'word' });

/** UTF-16 units of a window. */
const graphemeWindow = 64;
const wordWindow = 256;

/**
 * Characters that may join a neighbour: marks, joiners, halves of surrogate pairs, Hangul letters, signs that stand before a
 * number. Between any two others a text may be cut (Unicode Standard Annex 29, grapheme clusters; CR LF left aside).
 */
const joining =
  /[\p{M}\p{Cf}\p{Cs}\p{Grapheme_Extend}\p{Regional_Indicator}\p{Emoji_Modifier}\r\u0e33\u0eb3\u0d4e\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]/u;

/** By UTF-16 unit: 1 when it never joins a neighbour. Made at first use, 14 ms. */
let plain: Uint8Array | undefined;

function isPlain(code: number): boolean {
  plain ??= Uint8Array.from({ length: 2 ** 16 }, (_, unit) => (joining.test(String.fromCharCode(unit)) ? 0 : 1));
  return plain[code] === 1;
}

/**
 * Whether a text may be cut at `at`, inside of it, by the two characters there alone: right where one of them is white space, an
 * ideograph or punctuation, for what is further away makes no difference to these.
 */
export function isCut(text: string, at: number): boolean {
  if (isPlain(text.charCodeAt(at - 1)) && isPlain(text.charCodeAt(at))) return true;
  const left = text.slice(at - (isPair(text, at - 2) ? 2 : 1), at);
  const right = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return graphemes.segment(left + right).containing(left.length)?.index === left.length;
}

function isPair(text: string, at: number): boolean {
  return at >= 0 && (text.codePointAt(at) ?? 0) > 0xffff;
}

/** The ends of the graphemes of a part of a text, in order; the part is one that begins and ends with a grapheme. */
export function* graphemeEnds(text: string, start: number, end: number): Generator<number> {
  let at = start;
  let width = graphemeWindow;
  while (at < end) {
    if (isPlain(text.charCodeAt(at)) && (at + 1 === end || isPlain(text.charCodeAt(at + 1)))) {
      at += 1;
      yield at;
      continue;
    }
    const found = endsInWindow(graphemes, text, { at, end, width });
    yield* found;
    // A grapheme that fills its window needs a larger one.
    width = found.length > 0 ? graphemeWindow : width * 2;
    at = found.at(-1) ?? at;
  }
}

/** The ends of the words of a part of a text, in order; in a word that is longer than a window there are none. */
export function* wordEnds(text: string, start: number, end: number): Generator<number> {
  let at = start;
  while (at < end) {
    const found = endsInWindow(words, text, { at, end, width: wordWindow });
    yield* found;
    at = found.at(-1) ?? at + wordWindow;
  }
}

interface Window {
  readonly at: number;
  readonly end: number;
  readonly width: number;
}

/** The ends of segments in a window, but for the last, which may go on behind it. */
function endsInWindow(segmenter: Intl.Segmenter, text: string, { at, end, width }: Window): number[] {
  // Half a character at the end would not be seen to join what is before it.
  const to = Math.min(end, at + width - (isPair(text, at + width - 1) ? 1 : 0));
  const ends: number[] = [];
  for (const { index, segment } of segmenter.segment(text.slice(at, to))) ends.push(at + index + segment.length);
  if (to < end) ends.pop();
  return ends;
}

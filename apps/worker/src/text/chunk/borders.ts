/**
 * How good a place is to cut a text at, the best last. What is parted by weaker borders is put together first, so that a paragraph
 * that fits into a chunk is never cut, nor a sentence, nor a word.
 */
export const levels = {
  /** Inside a word. */
  grapheme: 0,
  /** Between two ideographs, as long as it is not known whether a word ends there. */
  ideograph: 1,
  /** Where a word ends that no white space follows. */
  part: 2,
  word: 3,
  line: 4,
  sentence: 5,
  paragraph: 6,
  section: 7,
  /** White space so long that no chunk goes across. */
  gap: 8,
} as const;

/** White space of so many characters ends a chunk: a chunk is not to be megabytes of nothing between two words. */
const longestGap = 256;

/** Whether a character is white space that words are parted by. No-break spaces, form feeds and byte order marks are not. */
export function isSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
  if (code < 0x1680) return false;
  if (code >= 0x2000 && code <= 0x200a) return code !== 0x2007;
  return code === 0x1680 || code === 0x2028 || code === 0x2029 || code === 0x205f || code === 0x3000;
}

/** The level of the white space from `start` to `end`, with text before and behind it. */
export function levelOfSpace(text: string, start: number, end: number): number {
  if (end - start > longestGap) return levels.gap;
  const lines = countLineEnds(text, start, end);
  if (lines >= 3) return levels.section;
  if (lines === 2) return isHeading(text, end) ? levels.section : levels.paragraph;
  if (endsSentence(text, start, end)) return levels.sentence;
  if (lines === 0) return levels.word;
  return isListItem(text, end) ? levels.sentence : levels.line;
}

/** Line ends, those of paragraphs (U+2029) twice. */
function countLineEnds(text: string, start: number, end: number): number {
  let lines = 0;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x2028) lines += 1;
    else if (code === 0x0d && text.charCodeAt(at + 1) !== 0x0a) lines += 1;
    else if (code === 0x2029) lines += 2;
  }
  return lines;
}

/** Of Markdown. */
const heading = /#{1,6}[ \t]/y;
const listItem = /(?:[-*+•–]|\d{1,3}[.)])[ \t]/y;

function isHeading(text: string, at: number): boolean {
  heading.lastIndex = at;
  return heading.test(text);
}

function isListItem(text: string, at: number): boolean {
  listItem.lastIndex = at;
  return listItem.test(text);
}

/** What may stand between the end of a sentence and the white space: quotation marks, brackets, emphasis. */
const closing = new Set('"\')]}»”’›*_」』）】》〉〕］｝');
const opening = new Set('"\'([{«“‘‹*_¿¡');
const stops = new Set('!?…‽؟۔।॥።։。！？｡.');

/** Words that end with a full stop inside of a sentence, in small letters. Before a number any short word may be one. */
const abbreviations = new Set(
  'mr mrs ms mx dr prof rev hon gen col capt lt sgt sr jr st mt ft vs etc al eq pp ed eds cf ca approx dept univ inc ltd co corp bzw usw mme mlle sra'.split(
    ' ',
  ),
);
const longestBeforeNumber = 4;
/** What stands before the full stop is looked at so far; characters. */
const longestAbbreviation = 12;

/**
 * Whether a sentence ends before the white space. By rule, not by Intl.Segmenter, which sees an end behind every "Mr."; wrong now
 * and then, which moves a border from the end of a sentence to the end of a word.
 */
export function endsSentence(text: string, start: number, end: number): boolean {
  let at = start - 1;
  while (at > start - 5 && closing.has(text.charAt(at))) at -= 1;
  const stop = text.charAt(at);
  if (!stops.has(stop)) return false;
  if (text.charCodeAt(at) >= 0x3000) return true;
  return !continues(text, end) && (stop !== '.' || !isAbbreviation(text, at, end));
}

/** Whether what follows begins with a small letter. */
function continues(text: string, end: number): boolean {
  let at = end;
  while (at < end + 2 && opening.has(text.charAt(at))) at += 1;
  return /\p{Ll}/u.test(text.charAt(at));
}

/** `stop`: where the full stop is; `next`: what follows. An initial, letters with full stops between them, or a known word. */
function isAbbreviation(text: string, stop: number, next: number): boolean {
  const before = text.slice(Math.max(0, stop - longestAbbreviation), stop);
  const word = /[\p{L}.]*$/u.exec(before)?.[0] ?? '';
  if (word === '' || word.length === longestAbbreviation) return false;
  if (/\p{Nd}/u.test(text.charAt(next)) && word.length <= longestBeforeNumber) return true;
  const isInitial = /^\p{Lu}$/u.test(word) && word !== 'I';
  return isInitial || /\p{L}\.\p{L}/u.test(word) || abbreviations.has(word.toLowerCase());
}

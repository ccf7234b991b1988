/** A piece of a text within which sentences may go on. */
export interface Paragraph {
  /** Where it begins in the text. */
  readonly start: number;
  /** It, with a space for each unit of a line break that does not end a sentence; as long as it is in the text. */
  readonly text: string;
}

interface Line {
  readonly start: number;
  /** Exclusive, without the line break. */
  readonly end: number;
}

const lineBreak = /\r\n|[\n\r\f\v\u0085\u2028\u2029]/g;

/**
 * The paragraphs of a text. A line break ends one, unless the text is wrapped there: the next line begins in lower case, or its
 * first word would not have fitted into the width of the lines around.
 */
export function* paragraphsOf(text: string): Generator<Paragraph> {
  let block: Line[] = [];
  for (const line of linesOf(text)) {
    if (!isBlank(text, line)) {
      block.push(line);
      continue;
    }
    yield* unwrap(text, block);
    block = [];
  }
  yield* unwrap(text, block);
}

function* linesOf(text: string): Generator<Line> {
  let start = 0;
  for (const { index, 0: found } of text.matchAll(lineBreak)) {
    yield { start, end: index };
    start = index + found.length;
  }
  yield { start, end: text.length };
}

function isBlank(text: string, { start, end }: Line): boolean {
  return text.slice(start, end).trim() === '';
}

/** The paragraphs of lines that follow one another without an empty one. */
function* unwrap(text: string, lines: readonly Line[]): Generator<Paragraph> {
  const width = lines.reduce((most, { start, end }) => Math.max(most, end - start), 0);
  let parts: string[] = [];
  let start = 0;
  for (const [index, line] of lines.entries()) {
    if (parts.length === 0) start = line.start;
    parts.push(text.slice(line.start, line.end));
    const next = lines[index + 1];
    if (next !== undefined && isWrapped(text, { line, next, width })) parts.push(' '.repeat(next.start - line.end));
    else {
      yield { start, text: parts.join('') };
      parts = [];
    }
  }
}

/** Widths that texts are wrapped to, in UTF-16 units. */
const leastWidth = 40;
const mostWidth = 120;
/** A line shorter than that is a heading or an entry of a list rather than the beginning of a wrapped sentence. */
const leastBeforeLowerCase = 30;

const listEntry = /^\s*(?:[-*+•‣◦▪–—>#|=~]|\(?(?:\p{N}{1,3}|\p{L})[.)]\s)/u;
const wordAtStart = /^\s*["'“‘«„(¿¡[]*(?:\p{L}|\p{N})[^\s]*/u;
const lowerAtStart = /^\s*\p{Ll}/u;
const digitAtStart = /^\s*\p{N}/u;
/** Scripts without spaces between words, whose lines may end anywhere. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

function isWrapped(text: string, { line, next, width }: { line: Line; next: Line; width: number }): boolean {
  // Enough for what is looked at: a word longer than that is wider than any line that counts.
  const head = text.slice(next.start, Math.min(next.end, next.start + mostWidth));
  if (listEntry.test(head) || unspaced.test(head.slice(0, 1))) return false;
  const length = line.end - line.start;
  if (lowerAtStart.test(head) && length >= leastBeforeLowerCase) return true;
  if (width < leastWidth || width > mostWidth) return false;
  if (digitAtStart.test(head) && digitAtStart.test(text.slice(line.start, line.start + 8))) return false;
  const word = wordAtStart.exec(head);
  return word !== null && length + 1 + word[0].trimStart().length > width;
}

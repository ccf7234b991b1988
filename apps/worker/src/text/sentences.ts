import { paragraphsOf } from './paragraphs.ts';
import { goesOn, seamUnits } from './sentence-joins.ts';

/** Where a sentence stands in a text: text.slice(start, end), in UTF-16 units. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * The sentences of a text, in order, without the white space around them: by Unicode's rules (UAX #29, with ICU's for a language),
 * put together again where only an abbreviation, a quotation or an address was cut (sentence-joins.ts). What has neither a letter,
 * a digit nor a symbol is no sentence. Longer ones than 16,384 units are cut at white space. `language`: ISO 639, or null.
 */
export function findSentences(text: string, language: string | null): Range[] {
  const segmenter = segmenterOf(language);
  // Without capitals nothing tells the rules where a sentence begins.
  const hasCapitals = /\p{Lu}/u.test(text);
  const found: Range[] = [];
  for (const paragraph of paragraphsOf(text)) {
    const read = raiseNumbers(hasCapitals ? paragraph.text : raiseStarts(paragraph.text));
    for (const { start, end } of joined(read, bordersOf(read, segmenter), language)) {
      const sentence = trimmed(read, { start, end });
      if (hasContent(read, sentence)) {
        found.push({ start: paragraph.start + sentence.start, end: paragraph.start + sentence.end });
      }
    }
  }
  return found;
}

const segmenters = new Map<string, Intl.Segmenter>();

/** Of all languages ICU has rules of its own for the sentences of Greek alone, whose question mark is a semicolon. */
function segmenterOf(language: string | null): Intl.Segmenter {
  const locale = language === 'el' ? 'el' : 'und';
  const known = segmenters.get(locale);
  if (known !== undefined) return known;
  const segmenter = new Intl.Segmenter(locale, { granularity: 'sentence' });
  segmenters.set(locale, segmenter);
  return segmenter;
}

/** The first letter behind a full stop in upper case; as long as before. */
function raiseStarts(text: string): string {
  return text.replaceAll(/([.!?…]["'”’»)\]]*\s+)(\p{Ll})/gu, (found, before: string, letter: string) => {
    const upper = letter.toUpperCase();
    return upper.length === letter.length ? before + upper : found;
  });
}

/**
 * A number behind a long word and a full stop begins a sentence, "It was lovely. 50 people came", but the rules of Unicode look for a
 * capital letter: they get one. Short words may be abbreviations.
 */
function raiseNumbers(text: string): string {
  return text.replaceAll(/((?:\p{L}{5}|\p{N}{4}|[%)])[.]["'”’»)\]]*\s+)\p{N}/gu, '$1X');
}

/** Every segment that V8 gives holds a copy of the whole string, so that only windows of a text are segmented. UTF-16 units. */
const windowUnits = 1024;
const mostUnits = 16_384;

/** What can end a sentence before the end of its paragraph; Greek asks with a semicolon. */
const terminal = /[\p{Sentence_Terminal};\u037e]/u;

/** Where UAX #29 has the ends of sentences, in order; the last is the end of the text. */
function* bordersOf(text: string, segmenter: Intl.Segmenter): Generator<number> {
  if (text.length <= mostUnits && !terminal.test(text)) {
    yield text.length;
    return;
  }
  let at = 0;
  let size = windowUnits;
  while (at + size < text.length) {
    const window = text.slice(at, at + size);
    let last = 0;
    // The last segment is cut by the window: it is read again.
    for (const { index } of segmenter.segment(window)) {
      if (index > 0) yield at + index;
      last = index;
    }
    if (last === 0 && size < mostUnits) {
      size *= 4;
      continue;
    }
    if (last === 0) {
      last = cutOf(window);
      yield at + last;
    }
    at += last;
    size = windowUnits;
  }
  for (const { index } of segmenter.segment(text.slice(at))) if (index > 0) yield at + index;
  yield text.length;
}

/** Where to cut what has no end: at the last white space, else as far as it goes without parting a surrogate pair. */
function cutOf(window: string): number {
  for (let index = window.length - 1; index > window.length / 2; index -= 1) {
    if (/\s/.test(window.charAt(index))) return index + 1;
  }
  const isHigh = (window.charCodeAt(window.length - 1) & 0xfc00) === 0xd800;
  return isHigh ? window.length - 1 : window.length;
}

function* joined(text: string, borders: Iterable<number>, language: string | null): Generator<Range> {
  let start = 0;
  for (const end of borders) {
    if (end < text.length && end - start < mostUnits) {
      const before = text.slice(Math.max(start, end - seamUnits), end);
      if (goesOn({ before, after: text.slice(end, end + seamUnits) }, language)) continue;
    }
    yield { start, end };
    start = end;
  }
}

function trimmed(text: string, { start, end }: Range): Range {
  const sentence = text.slice(start, end);
  const from = start + sentence.length - sentence.trimStart().length;
  return { start: from, end: Math.max(from, start + sentence.trimEnd().length) };
}

function hasContent(text: string, { start, end }: Range): boolean {
  return /[\p{L}\p{N}\p{S}]/u.test(text.slice(start, end));
}

import { stopWordsOf } from './stop-words.ts';
import { type Word, wordsIn } from './words.ts';

/** A word that says something about what a text is about. */
export interface Term extends Word {
  /** What makes it the same as another: lower case, without elision or possessive. */
  readonly term: string;
}

/** The words of a sentence, in order; `term` is undefined for those that say nothing: function words, numbers, single letters. */
export function* termsIn(
  sentence: string,
  stopWords: ReadonlySet<string>,
): Generator<Word & { readonly term: string | undefined }> {
  for (const word of wordsIn(sentence)) {
    const term = normalTerm(word.text);
    yield { ...word, term: isTelling(term, word.text) && !stopWords.has(term) ? term : undefined };
  }
}

/** French, Italian and Catalan leave vowels out; English adds an s. */
const elided = /^(?:[cdjlmnst]|qu|un|dell|all|nell|sull|dall|quest|quell|jusqu|lorsqu|puisqu)['’](?=\p{L}{2})/u;
const possessive = /['’]s$/;

function normalTerm(word: string): string {
  const lower = word.toLowerCase();
  return /['’]/.test(lower) ? lower.replace(elided, '').replace(possessive, '') : lower;
}

const alphabetic =
  /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Armenian}\p{Script=Georgian}]/u;

function isTelling(term: string, word: string): boolean {
  if (!/\p{L}/u.test(term) || /^\p{Script=Hiragana}+$/u.test(term)) return false;
  if (alphabetic.test(term)) return term.length > 2 || (term.length === 2 && word === word.toUpperCase());
  return term.length > 1;
}

/** Sentences that words are counted in, at most, to find function words. */
const countedSentences = 2000;

/**
 * The function words of a text: those of its language, or where they are not known, short words that stand in many of its
 * sentences (one in ten, and three at least).
 */
export function stopWordsFor(language: string | null, sentences: Iterable<string>): ReadonlySet<string> {
  const known = stopWordsOf(language);
  if (known.size > 0) return known;
  const counts = new Map<string, number>();
  let read = 0;
  for (const sentence of sentences) {
    read += 1;
    if (read > countedSentences) break;
    const short = new Set<string>();
    for (const { text } of wordsIn(sentence)) if (text.length < 5) short.add(text.toLowerCase());
    for (const word of short) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const least = Math.max(3, Math.min(read, countedSentences) / 10);
  return new Set([...counts].filter(([, count]) => count >= least).map(([word]) => word));
}

import { stopWordsOf } from './stop-words.ts';
import { type Word, wordsIn } from './words.ts';

/** A word of a sentence, and what it says. */
export interface Term extends Word {
  /**
   * What makes it the same as another: lower case, without elision or possessive. Undefined for what says nothing about the matter of a
   * text: function words, numbers, single letters.
   */
  readonly term: string | undefined;
}

/** The words of a sentence, in order. */
export function* termsIn(sentence: string, stopWords: ReadonlySet<string>): Generator<Term> {
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
 * The function words of a text: those of its language, or where they are not known, words of up to three letters that stand in one
 * of ten sentences, and in two at least.
 */
export function stopWordsFor(language: string | null, sentences: Iterable<string>): ReadonlySet<string> {
  const known = stopWordsOf(language);
  if (known.size > 0) return known;
  const counts = new Map<string, number>();
  let read = 0;
  for (const sentence of sentences) {
    if (read === countedSentences) break;
    read += 1;
    const short = new Set<string>();
    for (const { text } of wordsIn(sentence)) if (text.length <= 3) short.add(text.toLowerCase());
    for (const word of short) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const least = Math.max(2, read / 10);
  return new Set([...counts].filter(([, count]) => count >= least).map(([word]) => word));
}

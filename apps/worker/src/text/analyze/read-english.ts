import type { Entity, englishEntityKinds } from '@millrace/shared/tasks/text/analyze';
import { abbreviationsOf } from '../abbreviations.ts';
import type { Range } from '../sentences.ts';
import { stopWordsOf } from '../stop-words.ts';
import { type EnglishSentence, loadEnglish } from './english.ts';
import { type Candidate, KeywordCollector } from './keywords.ts';

type EnglishKind = (typeof englishEntityKinds)[number];

/** What wink finds of a whole English text. */
export interface EnglishFindings {
  readonly keywords: KeywordCollector;
  /** Dates, times, amounts and numbers, in order. */
  readonly entities: Entity[];
  /** Mean over the sentences; 0 without any. */
  readonly sentiment: number;
}

/** Reads the sentences of an English text one by one, so that a long text takes no more memory than its longest sentence. */
export async function readEnglish(text: string, sentences: readonly Range[]): Promise<EnglishFindings> {
  const reader = await loadEnglish();
  const keywords = new KeywordCollector(text, { knowsNouns: true });
  const entities: Entity[] = [];
  let sentiments = 0;
  for (const { start, end } of sentences) {
    const sentence = text.slice(start, end);
    const read = reader.read(sentence);
    sentiments += read.sentiment;
    keywords.add(candidatesIn(sentence, read, start));
    for (const { type, ...at } of read.entities) {
      const kind = kindOf(type);
      if (kind === undefined || at.end <= at.start) continue;
      entities.push({ text: sentence.slice(at.start, at.end), start: start + at.start, end: start + at.end, kind });
    }
  }
  return { keywords, entities, sentiment: sentiments / Math.max(1, sentences.length) };
}

const kinds: Readonly<Record<string, EnglishKind>> = {
  DATE: 'date',
  TIME: 'time',
  DURATION: 'duration',
  MONEY: 'money',
  PERCENT: 'percent',
  ORDINAL: 'ordinal',
  CARDINAL: 'cardinal',
};

function kindOf(type: string): EnglishKind | undefined {
  return Object.hasOwn(kinds, type) ? kinds[type] : undefined;
}

/** Nouns, names and adjectives that say something. */
function* candidatesIn(sentence: string, { tokens }: EnglishSentence, offset: number): Generator<Candidate> {
  const stopWords = stopWordsOf('en');
  const { open: titles } = abbreviationsOf('en');
  for (const [position, { start, end, pos, lemma }] of tokens.entries()) {
    if (pos !== 'NOUN' && pos !== 'PROPN' && pos !== 'ADJ') continue;
    const word = sentence.slice(start, end);
    if (word.length < 2 || !/^\p{L}/u.test(word)) continue;
    if (stopWords.has(lemma) || stopWords.has(word.toLowerCase())) continue;
    const isTitle = lemma.endsWith('.') && titles.has(lemma.slice(0, -1));
    yield { term: lemma, start: offset + start, end: offset + end, position, isNoun: pos !== 'ADJ' && !isTitle };
  }
}

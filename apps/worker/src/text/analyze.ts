import { setImmediate } from 'node:timers/promises';
import { defineProcessor, failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import { type Analysis, type AnalyzeItem, analyze, type Entity } from '@millrace/shared/tasks/text/analyze';
import type { Span } from '@millrace/shared/tasks/text/spans';
import { KeywordCollector } from './analyze/keywords.ts';
import { readEnglish } from './analyze/read-english.ts';
import { languageOf } from './language.ts';
import { findPlainEntities, withoutAddresses } from './plain-entities.ts';
import { findSentences, type Range } from './sentences.ts';
import { stopWordsFor, termsIn } from './terms.ts';
import { countWords } from './words.ts';

/** Tells of texts what language they are in, and what else is asked for. Text by text: a call that takes too long ends between two. */
export const analyzeProcessor = defineProcessor(analyze, {
  process: async (items, { signal }) => {
    const outcomes: ItemOutcome<Analysis>[] = [];
    for (const item of items) {
      await setImmediate();
      outcomes.push(signal.aborted ? failed('TASK_TIMEOUT', 'It took too long.') : await analyzeOne(item));
    }
    return outcomes;
  },
});

async function analyzeOne(item: AnalyzeItem): Promise<ItemOutcome<Analysis>> {
  try {
    // A lone surrogate is no text: the replacement character is as long, so that every place stays.
    return await analyzeText(item.text.toWellFormed(), item);
  } catch (error) {
    return failed(
      'PROCESSOR_FAILED',
      `The text of ${item.text.length} characters cannot be analyzed: ${(error as Error).message}`,
    );
  }
}

async function analyzeText(
  text: string,
  { features, language: given, maxKeywords }: AnalyzeItem,
): Promise<ItemOutcome<Analysis>> {
  const wants = new Set(features);
  const language = await languageOf(text, given);
  const ranges = wants.size === 0 ? [] : findSentences(text, language.code);
  const needsWords = wants.has('keywords') || wants.has('entities') || wants.has('sentiment');
  const plain = needsWords ? findPlainEntities(text) : [];
  const toldSentences = wants.has('sentences') ? ranges.length : 0;
  const spans = (entities: readonly Entity[]) => toldSentences + (wants.has('entities') ? entities.length : 0);
  if (spans(plain) > mostSpans) return tooMany(spans(plain));
  const prose = withoutAddresses(text, plain);
  const english = needsWords && language.code === 'en' ? await readEnglish(prose, ranges) : undefined;
  const keywords = () => (english?.keywords ?? collectKeywords(prose, ranges, language.code)).best(maxKeywords);
  const entities = merged(plain, english?.entities ?? []);
  if (spans(entities) > mostSpans) return tooMany(spans(entities));
  return succeeded({
    language,
    ...(wants.has('sentences') && { sentences: ranges.map((range) => spanOf(text, range)) }),
    ...(wants.has('tokens') && { tokens: tokensOf(text, ranges) }),
    ...(wants.has('keywords') && { keywords: keywords() }),
    ...(wants.has('entities') && { entities }),
    ...(wants.has('sentiment') && { sentiment: english === undefined ? null : rounded(english.sentiment) }),
  });
}

/** A text of emoji alone would otherwise have a result of thirty times its size. */
const mostSpans = 200_000;

function tooMany(spans: number): ItemOutcome<never> {
  return failed(
    'INPUT_TOO_LARGE',
    `A text has ${spans} sentences and entities or more; of one text at most ${mostSpans} are told.`,
  );
}

function spanOf(text: string, { start, end }: Range): Span {
  return { text: text.slice(start, end), start, end };
}

function tokensOf(text: string, sentences: readonly Range[]): number {
  return sentences.reduce((sum, { start, end }) => sum + countWords(text.slice(start, end)), 0);
}

function collectKeywords(text: string, sentences: readonly Range[], language: string | null): KeywordCollector {
  const contents = sentences.map(({ start, end }) => text.slice(start, end));
  const stopWords = stopWordsFor(language, contents);
  const collector = new KeywordCollector(text, { knowsNouns: false });
  for (const sentence of sentences) collector.add(candidatesIn(text, sentence, stopWords));
  return collector;
}

function* candidatesIn(text: string, { start: offset, end: stop }: Range, stopWords: ReadonlySet<string>) {
  let position = -1;
  for (const { term, start, end } of termsIn(text.slice(offset, stop), stopWords)) {
    position += 1;
    if (term !== undefined) yield { term, start: offset + start, end: offset + end, position, isNoun: true };
  }
}

/** Both in order; where two are one over the other that of all languages stays. */
function merged(plain: readonly Entity[], english: readonly Entity[]): Entity[] {
  const all: Entity[] = [];
  let next = 0;
  for (const entity of english) {
    for (let one = plain[next]; one !== undefined && one.start < entity.end; one = plain[next]) {
      all.push(one);
      next += 1;
    }
    if ((all.at(-1)?.end ?? 0) <= entity.start) all.push(entity);
  }
  return [...all, ...plain.slice(next)];
}

function rounded(score: number): number {
  return Math.round(score * 1000) / 1000;
}

import { setImmediate } from 'node:timers/promises';
import { defineProcessor, failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import { type SummarizeItem, type Summary, summarize } from '@millrace/shared/tasks/text/summarize';
import { languageOf } from './language.ts';
import { findSentences, type Range } from './sentences.ts';
import { chooseSentences } from './summarize/choose-sentences.ts';
import { stopWordsFor, termsIn } from './terms.ts';

/** Chooses the most telling sentences of texts. Text by text: a call that takes too long ends between two. */
export const summarizeProcessor = defineProcessor(summarize, {
  process: async (items, { signal }) => {
    const outcomes: ItemOutcome<Summary>[] = [];
    for (const item of items) {
      await setImmediate();
      outcomes.push(signal.aborted ? failed('TASK_TIMEOUT', 'It took too long.') : await summarizeOne(item));
    }
    return outcomes;
  },
});

async function summarizeOne(item: SummarizeItem): Promise<ItemOutcome<Summary>> {
  try {
    // A lone surrogate is no text: the replacement character is as long, so that every place stays.
    return succeeded(await summarizeText(item.text.toWellFormed(), item));
  } catch (error) {
    return failed(
      'PROCESSOR_FAILED',
      `The text of ${item.text.length} characters cannot be summarized: ${(error as Error).message}`,
    );
  }
}

async function summarizeText(text: string, { sentences: most, language: given }: SummarizeItem): Promise<Summary> {
  const language = await languageOf(text, given);
  const sentences = findSentences(text, language.code);
  const chosen = chooseSentences(termNumbers(text, sentences, language.code), most);
  return {
    language,
    sentences: chosen.flatMap(({ index, score }) => {
      const range = sentences[index];
      return range === undefined ? [] : [{ text: text.slice(range.start, range.end), ...range, score }];
    }),
    of: sentences.length,
  };
}

/** The terms of each sentence as numbers, in the order in which the text has them first. */
function termNumbers(text: string, sentences: readonly Range[], language: string | null): number[][] {
  const contents = sentences.map(({ start, end }) => text.slice(start, end));
  const stopWords = stopWordsFor(language, contents);
  const numbers = new Map<string, number>();
  return contents.map((content) => {
    const terms: number[] = [];
    for (const { term } of termsIn(content, stopWords)) {
      if (term === undefined) continue;
      const number = numbers.get(term) ?? numbers.size;
      numbers.set(term, number);
      terms.push(number);
    }
    return terms;
  });
}

// A type of one's own: how long texts take to read. API and workers: MILLRACE_PLUGINS=./examples/custom-task/reading-time.mjs
import { defineTaskType } from '@millrace/shared/tasks/define-task-type';
import { defineProcessor, failed, succeeded } from '@millrace/shared/tasks/processor';
import { z } from 'zod';

const language = z.string().regex(/^[a-z]{2,3}$/, { error: 'a language such as en or ja' });
const pace = z.int().min(50).max(1000).optional();

/** @typedef {{ words: number, seconds: number }} Reading */

export const readingTime = defineTaskType({
  type: 'text.reading-time',
  family: 'text',
  description: 'How many words texts have, and how long they take to read.',
  input: z.strictObject({
    texts: z.array(z.string()).min(1).meta({ description: 'The texts, each by itself.' }),
    language: language.meta({ description: 'What they are written in: it decides where a word ends.' }),
    wordsPerMinute: pace.meta({ description: 'How fast they are read; default 238.' }),
  }),
  output: z.object({ readings: z.array(z.object({ words: z.int(), seconds: z.number() })) }),
  example: { texts: ['The wheel turns as long as the water runs.'], language: 'en' },
  items: ({ texts, wordsPerMinute = 238, ...rest }) => texts.map((text) => ({ ...rest, text, wordsPerMinute })),
  join: (/** @type {readonly Reading[]} */ readings) => ({ readings: [...readings] }),
  batchKey: ({ language }) => language, // only texts of one language share a call
  cost: ({ text }) => text.length, // a call has a million characters at most
});

export const readingTimeProcessor = defineProcessor(readingTime, {
  async process(items) {
    const segmenter = new Intl.Segmenter(items[0]?.language, { granularity: 'word' }); // costly: one for the whole call
    return items.map(({ text, wordsPerMinute }) => {
      const pieces = text.match(/\S{1,1000}/gu) ?? []; // each segment has a copy of all that was given
      const segments = pieces.flatMap((piece) => [...segmenter.segment(piece)].filter(({ isWordLike }) => isWordLike));
      const words = segments.length;
      if (words === 0) return failed('INVALID_INPUT', 'There is no word in the text.'); // this item, not its mates
      return succeeded({ words, seconds: (words / wordsPerMinute) * 60 });
    });
  },
});

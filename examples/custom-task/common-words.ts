// The same in TypeScript, and without items: the task is computed as a whole. `npx tsc -p examples/custom-task` makes
// dist/common-words.js of it, which is what MILLRACE_PLUGINS names.
import { defineTaskType } from '@millrace/shared/tasks/define-task-type';
import { defineProcessor, failed, succeeded } from '@millrace/shared/tasks/processor';
import { z } from 'zod';

export const commonWords = defineTaskType({
  type: 'text.common-words',
  family: 'text',
  description: 'The words that texts have most often, all texts taken together.',
  input: z.strictObject({
    texts: z.array(z.string()).min(1).max(10_000).meta({ description: 'The texts, taken as one.' }),
    top: z.int().min(1).max(100).optional().meta({ description: 'How many words; default 10.' }),
  }),
  output: z.object({ words: z.array(z.object({ word: z.string(), count: z.int() })) }),
  example: { texts: ['The wheel turns as long as the water turns it.'], top: 2 },
  cost: ({ texts }) => texts.reduce((sum, text) => sum + text.length, 0),
  resultBytes: () => 8192, // about what Redis will need for the result: admission keeps so much free
});

export const commonWordsProcessor = defineProcessor(commonWords, {
  process: async (inputs) =>
    inputs.map(({ texts, top = 10 }) => {
      const counts = new Map<string, number>();
      for (const text of texts)
        for (const [word] of text.toLowerCase().matchAll(/\p{L}[\p{L}\p{M}'’-]*/gu))
          counts.set(word, (counts.get(word) ?? 0) + 1);
      if (counts.size === 0) return failed('INVALID_INPUT', 'There is no word in the texts.');
      const sorted = [...counts].sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1));
      return succeeded({ words: sorted.slice(0, top).map(([word, count]) => ({ word, count })) });
    }),
});

import { z } from 'zod';
import { contentHash } from '../content-hash.ts';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import { detectedLanguage, givenLanguage } from './languages.ts';
import { span } from './spans.ts';

/** Sentences of a summary unless the task says otherwise. */
const defaultSentences = 3;

const summarizeInput = z.strictObject({
  texts: z
    .array(z.string())
    .min(1)
    .meta({ description: 'The texts, each summarized by itself; any of them may be empty.' }),
  sentences: z
    .int()
    .min(1)
    .max(50)
    .optional()
    .meta({ description: `How many sentences to choose of each text; default ${defaultSentences}.` }),
  language: givenLanguage.optional().meta({
    description: 'The language of all the texts, where it is known. Default: each is detected.',
  }),
});
type SummarizeInput = z.infer<typeof summarizeInput>;

const chosenSentence = span.extend({
  score: z.number().meta({ description: 'Beside the best sentence of the text, which has 1.' }),
});
export type ChosenSentence = z.infer<typeof chosenSentence>;

const summary = z.object({
  language: detectedLanguage,
  sentences: z.array(chosenSentence).meta({
    description:
      'The sentences that have most in common with the others (TextRank), in the order of the text; all of them where the text has no more. Of sentences that are alike only one is taken as long as there are others.',
  }),
  of: z.int().meta({ description: 'How many sentences the text has.' }),
});
export type Summary = z.infer<typeof summary>;

/** One text on its way through the text lane. */
export interface SummarizeItem {
  readonly text: string;
  readonly sentences: number;
  /** Undefined: to be detected. */
  readonly language: string | undefined;
}

/** JSON of a result, in bytes: of each text, and of a sentence of usual length. */
const bytesPerText = 120;
const bytesPerSentence = 320;

export const summarize = defineTaskType({
  type: 'text.summarize',
  family: 'text',
  description: 'The most telling sentences of texts, word for word and in their order.',
  input: summarizeInput,
  output: z.object({ summaries: z.array(summary).meta({ description: 'One entry per text, in their order.' }) }),
  limits: { items: 256, bytes: 4 * 2 ** 20 },
  example: {
    texts: [
      'The mill stands at the river. The river drives the wheel of the mill. Ducks sleep on the bank. Whoever visits the mill sees how the wheel turns the stones.',
    ],
    sentences: 2,
  },
  items: ({ texts, sentences = defaultSentences, language }: SummarizeInput): SummarizeItem[] =>
    texts.map((text) => ({ text, sentences, language })),
  join: (values: readonly Summary[]) => ({ summaries: [...values] }),
  identity: (item) => contentHash(item),
  cost: ({ text }) => text.length,
  // No more than the texts themselves, as far as sentences are of usual length.
  resultBytes: ({ texts, sentences = defaultSentences }, inputBytes) => {
    const chosen = Math.min(texts.length * sentences * bytesPerSentence, inputBytes * 2);
    return Math.ceil(texts.length * bytesPerText + chosen) + endedTaskBytes;
  },
});

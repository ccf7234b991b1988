import { z } from 'zod';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';

const defaultThreshold = 0.9;

const deduplicateInput = z.strictObject({
  texts: z
    .array(z.string())
    .min(1)
    .meta({ description: 'The texts to compare with each other, at most 10,000 and 8 MiB in all.' }),
  threshold: z
    .number()
    .min(0.5)
    .max(1)
    .optional()
    .meta({
      description: `How alike two texts must be, 0.5 to 1; default ${defaultThreshold}. 1 finds only texts that are the same but for case, white space and Unicode form (or for how often they repeat the same).`,
    }),
});
type DeduplicateInput = z.infer<typeof deduplicateInput>;

const member = z.object({
  index: z.int().meta({ description: 'Its place in `texts`.' }),
  similarity: z.number().meta({ description: 'To the representative, from `threshold` to 1; its own is 1.' }),
});

const group = z.object({
  representative: z.int().meta({ description: 'The first text of the group: the one to keep.' }),
  members: z.array(member).meta({
    description:
      'At least two, the representative first, then by place. Each is within the threshold of the representative.',
  }),
});

const deduplicateOutput = z.object({
  groups: z.array(group).meta({ description: 'The groups of near duplicates, by the place of their representative.' }),
  unique: z.array(z.int()).meta({
    description: 'Which texts to keep, ascending: the representative of each group, and each text that is in none.',
  }),
});
export type DeduplicateGroup = z.infer<typeof group>;
export type DeduplicateOutput = z.infer<typeof deduplicateOutput>;

/** JSON of a member and of a place in `unique`; every text is one or the other or both. */
const bytesPerText = 56;

/** The threshold of an input; the default where it has none. */
export function thresholdOf({ threshold = defaultThreshold }: DeduplicateInput): number {
  return threshold;
}

export const deduplicate = defineTaskType({
  type: 'text.deduplicate',
  family: 'text',
  description:
    'Groups texts that are the same or nearly the same. Alike means: the share of common pieces of five characters (fewer in scripts without spaces), after case, white space and Unicode form are evened out (Jaccard similarity).',
  input: deduplicateInput,
  output: deduplicateOutput,
  limits: { items: 10_000, bytes: 8 * 2 ** 20 },
  example: {
    texts: [
      'The mill turns as long as the water runs.',
      'The mill turns, as long as the water runs.',
      'Grain is dear.',
    ],
    threshold: 0.8,
  },
  size: ({ texts }) => texts.length,
  cost: ({ texts }) => texts.reduce((sum, text) => sum + text.length, 0),
  resultBytes: ({ texts }) => texts.length * bytesPerText + endedTaskBytes,
});

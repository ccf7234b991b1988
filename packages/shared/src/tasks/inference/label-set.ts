import { z } from 'zod';
import { contentHash } from '../content-hash.ts';
import { bundledModel } from './embed.ts';
import { estimateRead, givenText } from './given-text.ts';

const mostLabels = 256;
/** Of all labels together, in tokens: a lane reads them in one go, which takes it about 3 s. */
const mostTokens = 32_768;
/** A name is read in so many sentences. */
const readingsOfName = 4;
const longestName = 256;

const labelName = z
  .string()
  .max(longestName)
  .refine((name) => name.trim() !== '', { error: 'a name that is not empty' });

const labelSchema = z.union([
  labelName,
  z.strictObject({
    name: labelName.meta({ description: 'What the result calls it.' }),
    examples: z.array(givenText).min(1).meta({ description: 'Texts that it applies to; five do well.' }),
  }),
]);
type GivenLabel = z.infer<typeof labelSchema>;

/** At least two labels, no two of one name. */
export const givenLabels = z
  .array(labelSchema)
  .min(2)
  .max(mostLabels)
  .superRefine((labels, context) => {
    refuse(repeatedNames(labels), 'a name that no other label has', context);
    const tokens = Math.ceil(labels.reduce((sum, label) => sum + tokensOf(toLabel(label)), 0));
    if (tokens > mostTokens)
      refuse([[]], `names and examples of at most ${mostTokens} tokens in all; these have about ${tokens}`, context);
  });

/** A label, and texts that it applies to, if any were given. */
export interface Label {
  readonly name: string;
  readonly examples: readonly string[];
}

/** The labels of a task. Its items share one object, and so does a message that carries them to a lane. */
export interface LabelSet {
  /** Sets of the same labels, in the same order, have the same. */
  readonly key: string;
  readonly labels: readonly Label[];
}

export function labelSet(given: readonly GivenLabel[]): LabelSet {
  const labels = given.map(toLabel);
  return { key: contentHash(labels), labels };
}

function toLabel(label: GivenLabel): Label {
  return typeof label === 'string' ? { name: label, examples: [] } : label;
}

function tokensOf({ name, examples }: Label): number {
  const read = (text: string) => estimateRead(text, bundledModel);
  return examples.reduce((sum, example) => sum + read(example), readingsOfName * read(name));
}

/** Where names stand that an earlier label has, white space at their ends apart. */
function repeatedNames(labels: readonly GivenLabel[]): (string | number)[][] {
  const seen = new Set<string>();
  return labels.flatMap((label, index) => {
    const name = toLabel(label).name.trim();
    const isRepeated = seen.has(name);
    seen.add(name);
    if (!isRepeated) return [];
    return [typeof label === 'string' ? [index] : [index, 'name']];
  });
}

function refuse(paths: readonly (string | number)[][], message: string, context: z.RefinementCtx): void {
  for (const path of paths) context.addIssue({ code: 'custom', message, path });
}

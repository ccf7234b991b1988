import type { Label, LabelSet } from '@millrace/shared/tasks/inference/label-set';
import { LRUCache } from 'lru-cache';
import { type EmbeddedText, embedTexts } from './embed-texts.ts';
import { createLabelHead, type LabelHead } from './label-head.ts';
import type { PassCall } from './run-passes.ts';
import type { Embedder } from './runtime.ts';
import { normalized } from './unit-vectors.ts';

/** A name is read in each of these, and its vector is their mean; chosen among twenty as the figures of label-head.ts were. */
const prompts: readonly ((name: string) => string)[] = [
  (name) => `This text is about ${name}.`,
  (name) => `about ${name}`,
  (name) => `A sentence about ${name}`,
  (name) => `label: ${name}`,
];

/** Heads that a lane keeps, in bytes: 256 labels of the bundled model take 0.8 MB. */
const keptBytes = 32 * 2 ** 20;

/** A head, and how many of its examples were longer than the model reads. */
export interface ReadLabels {
  readonly head: LabelHead;
  readonly truncatedExamples: number;
}

/** The heads of label sets that were asked for lately: labels are read once, not with every text. */
export class LabelHeads {
  private readonly kept = new LRUCache<string, ReadLabels>({
    maxSize: keptBytes,
    sizeCalculation: ({ head }) => head.vectors.reduce((sum, vector) => sum + vector.byteLength, 1),
  });

  /** The head of a set, read in this call unless it is known. */
  async get(embedder: Embedder, set: LabelSet, call: PassCall): Promise<ReadLabels> {
    const key = `${embedder.fingerprint(true)} ${set.key}`;
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const read = await readLabels(embedder, set.labels, call);
    this.kept.set(key, read);
    return read;
  }
}

async function readLabels(embedder: Embedder, labels: readonly Label[], call: PassCall): Promise<ReadLabels> {
  const texts = labels.flatMap(({ name, examples }) => [...prompts.map((prompt) => prompt(name)), ...examples]);
  const embedded = await embedTexts(
    embedder,
    texts.map((text) => ({ text })),
    call,
  );
  let next = 0;
  const take = (count: number): EmbeddedText[] => {
    next += count;
    return embedded.slice(next - count, next);
  };
  let truncatedExamples = 0;
  const vectors = labels.map(({ name, examples }) => {
    const nameVector = meanOf(take(prompts.length));
    const read = take(examples.length);
    truncatedExamples += read.filter(({ truncated }) => truncated).length;
    return { name, nameVector, examples: read.map(({ vector }) => normalized(vector)) };
  });
  return { head: createLabelHead(vectors), truncatedExamples };
}

/** The mean of vectors at length 1, itself at length 1. */
function meanOf(embedded: readonly EmbeddedText[]): Float64Array {
  const vectors = embedded.map(({ vector }) => normalized(vector));
  const sum = Float64Array.from(vectors[0] ?? [], (_, index) =>
    vectors.reduce((total, vector) => total + (vector[index] ?? 0), 0),
  );
  return normalized(sum);
}

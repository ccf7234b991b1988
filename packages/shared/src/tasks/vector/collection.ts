import { z } from 'zod';
import { modelName } from '../inference/model-name.ts';

/** A collection's name is a part of Redis keys and of file names. */
export const collectionName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, {
  error: 'a name of 1 to 64 letters, digits, _ and -, that begins with a letter or digit',
});

/** How alike two vectors are: cosine and dot by their inner product (more is nearer), l2 by distance (less is nearer). */
export const metrics = ['cosine', 'dot', 'l2'] as const;
export type Metric = (typeof metrics)[number];

/** Measured on real sentence vectors: recall@10 0.97 and more at 20,000 and 100,000 points. */
export const hnswDefaults = { m: 16, efConstruction: 200, ef: 96 } as const;

export const hnswSchema = z.strictObject({
  m: z
    .int()
    .min(4)
    .max(64)
    .default(hnswDefaults.m)
    .meta({ description: 'Links of a point: more take memory and find more; default 16.' }),
  efConstruction: z
    .int()
    .min(8)
    .max(1000)
    .default(hnswDefaults.efConstruction)
    .meta({ description: 'How thoroughly links are chosen: more builds slower and finds more; default 200.' }),
  ef: z.int().min(8).max(2000).default(hnswDefaults.ef).meta({
    description: 'How many candidates a search keeps: more finds more and is slower; raised by itself; default 96.',
  }),
});

/** What a collection is created with. */
export const collectionSettings = z.strictObject({
  dimensions: z.int().min(1).max(4096).meta({ description: 'Numbers of each vector.' }),
  metric: z.enum(metrics).meta({ description: 'cosine (vectors are stored at length 1), dot or l2.' }),
  model: modelName
    .optional()
    .meta({ description: 'The embedding model of its texts; left out, the bundled one. Needed for texts alone.' }),
  fingerprint: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'Of the model; left out, that of the first vectors which tell theirs. Others are refused.' }),
  hnsw: hnswSchema.optional().meta({ description: 'How its index is built and searched.' }),
});
export type CollectionSettings = z.infer<typeof collectionSettings>;

/** A collection as Redis has it. */
export interface Collection {
  readonly name: string;
  /** Unlike that of any collection that had this name before. */
  readonly generation: string;
  readonly dimensions: number;
  readonly metric: Metric;
  readonly model: string | null;
  readonly hnsw: z.infer<typeof hnswSchema>;
  /** ms since 1970. */
  readonly createdAt: number;
}

/**
 * A moment in the history of a collection: after its last write. A Redis that ended without a word may have lost the newest
 * writes, and others then get the same versions: `mark`, a random number of each write, tells them apart.
 */
export interface Moment {
  /** Each write adds one. */
  readonly version: number;
  readonly mark: number;
}

/** A collection at one moment. */
export interface CollectionState extends Moment {
  readonly collection: Collection;
  /** The fingerprint that its vectors have, once it is known. */
  readonly fingerprint: string | null;
  readonly points: number;
}

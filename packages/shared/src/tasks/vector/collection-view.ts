import { z } from 'zod';
import { collectionName, hnswSchema, metrics } from './collection.ts';
import { metadataSchema } from './metadata.ts';

/** A worker's copy of a collection. */
export const replicaFacts = z.object({
  state: z
    .enum(['loading', 'following', 'rereading', 'gone'])
    .meta({ description: 'loading and rereading: a search waits until it follows the change log.' }),
  version: z.int().meta({ description: 'The version of the collection that it has.' }),
  lag: z.int().meta({ description: 'Versions that it is behind; a search waits until it is not.' }),
  points: z.int(),
  loaded: z.int().meta({ description: 'Points read so far, while it loads.' }),
  indexed: z.int().meta({ description: 'Points in the index; the others are compared one by one.' }),
  toIndex: z.int().meta({ description: 'Points that the index is still to get.' }),
  bytes: z.int().meta({ description: 'About how much memory it takes.' }),
  ef: z.int().meta({ description: 'Candidates of a search by the index; raised when its recall is low.' }),
  recall: z.number().nullable().meta({ description: 'recall@10 of sampled searches; null before the first.' }),
});

/** A collection as read. */
export const collectionViewSchema = z.object({
  name: collectionName,
  dimensions: z.int(),
  metric: z.enum(metrics),
  model: z.string().nullable().meta({ description: 'Of its texts; null: the bundled one.' }),
  fingerprint: z.string().nullable().meta({ description: 'Of its vectors; null until the first that tell theirs.' }),
  hnsw: hnswSchema,
  createdAt: z.string(),
  version: z.int().meta({ description: 'Of the last write.' }),
  points: z.int(),
  workers: z
    .array(replicaFacts.extend({ worker: z.string() }))
    .meta({ description: 'The copies that workers have in memory.' }),
});
export type CollectionView = z.infer<typeof collectionViewSchema>;

/** A point as read. */
export const pointViewSchema = z.object({
  id: z.string(),
  version: z.int().meta({ description: 'The version of the collection that wrote it.' }),
  vector: z.array(z.number()).meta({ description: 'As it is stored; under cosine at length 1.' }),
  metadata: metadataSchema.nullable(),
});
export type PointView = z.infer<typeof pointViewSchema>;

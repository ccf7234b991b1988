import { z } from 'zod';
import { defineTaskType } from '../define-task-type.ts';
import type { Fence } from '../preparation.ts';
import { collectionName } from './collection.ts';
import { filterSchema } from './filter.ts';
import { pointId } from './point.ts';

const deleteInput = z
  .strictObject({
    collection: collectionName,
    ids: z
      .array(pointId)
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'At most 1,000; those that are not there are passed over.' }),
    filter: filterSchema.optional(),
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), { error: 'either ids or a filter' });

/** As it was sent, and once it is prepared with the lock of the task. */
type DeleteInput = z.infer<typeof deleteInput> & { readonly fence?: Fence };

export const deletePoints = defineTaskType({
  type: 'vector.delete',
  family: 'vector',
  description: 'Deletes points by id, or all that a filter matches; a search that follows does not find them.',
  input: deleteInput as z.ZodType<DeleteInput>,
  output: z.object({
    version: z.int().meta({ description: 'Of the collection, without these points.' }),
    deleted: z.int().meta({ description: 'How many were there.' }),
  }),
  limits: { items: 1000, bytes: 2 ** 20 },
  example: { collection: 'books', filter: { lang: 'xx' } },
  collection: ({ collection }) => ({ name: collection, fingerprint: undefined, vectors: [] }),
  prepare: (input, { fence }) => ({ ready: true, input: { ...input, fence } }),
  size: ({ ids }) => ids?.length ?? 1,
  batchKey: ({ collection }) => collection,
  cost: ({ ids }) => ids?.length ?? 100,
});

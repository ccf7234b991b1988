import { z } from 'zod';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import type { Fence } from '../preparation.ts';
import { collectionName } from './collection.ts';
import { embedFirst } from './embed-first.ts';
import { pointSchema } from './point.ts';

const upsertInput = z.strictObject({
  collection: collectionName,
  points: z
    .array(pointSchema)
    .min(1)
    .max(1000)
    .meta({ description: 'At most 1,000; an id that is there is replaced.' }),
  fingerprint: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'Of the model that made the vectors; one that differs from the collection’s is refused.' }),
});

/** As it was sent, and once it is prepared with the lock of the task. */
type UpsertInput = z.infer<typeof upsertInput> & { readonly fence?: Fence };

/** Of a point in Redis beside its own JSON: its id, version and place. */
const pointBytes = 200;

export const upsert = defineTaskType({
  type: 'vector.upsert',
  family: 'vector',
  description: 'Writes points into a collection, all or none of them checked first; a search that follows sees them.',
  input: upsertInput as z.ZodType<UpsertInput>,
  output: z.object({
    version: z.int().meta({ description: 'Of the collection, with these points in it.' }),
    upserted: z.int(),
  }),
  limits: { items: 1000, bytes: 4 * 2 ** 20 },
  example: { collection: 'books', points: [{ id: 'p1', text: 'The wheel turns.', metadata: { lang: 'en' } }] },
  size: ({ points }) => points.length,
  collection: ({ collection, points, fingerprint }) => ({
    name: collection,
    fingerprint,
    vectors: points.flatMap(({ vector }, index) =>
      vector === undefined ? [] : [{ path: `input.points[${index}].vector`, value: vector }],
    ),
  }),
  prepare(input, facts) {
    const { fence } = facts;
    const texts = input.points.flatMap(({ text }) => text ?? []);
    if (texts.length === 0) return { ready: true, input: { ...input, fence } };
    const embedded = embedFirst({ texts, purpose: 'document', fingerprint: input.fingerprint }, facts);
    if (embedded.children !== undefined) return { ready: false, children: embedded.children };
    const ofTexts = embedded.vectors[Symbol.iterator]();
    const points = input.points.map(({ text, ...point }) =>
      text === undefined ? point : { ...point, vector: ofTexts.next().value },
    );
    return { ready: true, input: { ...input, points, fingerprint: embedded.fingerprint, fence } };
  },
  batchKey: ({ collection }) => collection,
  cost: ({ points }) => points.length,
  resultBytes: ({ points }, inputBytes) => inputBytes + points.length * pointBytes + endedTaskBytes,
});

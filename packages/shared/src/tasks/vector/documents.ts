import { z } from 'zod';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import type { Fence, Preparation, PreparationFacts } from '../preparation.ts';
import { type Chunk, defaultMaxTokens } from '../text/chunk.ts';
import { collectionName } from './collection.ts';
import { embedFirst } from './embed-first.ts';
import { type Metadata, metadataSchema } from './metadata.ts';
import { pointId } from './point.ts';
import { outputsOfParts } from './text-parts.ts';
import type { VectorValue } from './vector-value.ts';

/** The metadata that each chunk has beside that of its document. */
const chunkFields = ['documentId', 'chunk', 'start', 'end', 'text'] as const;

const documentSchema = z.strictObject({
  id: pointId
    .max(128)
    .refine((id) => !id.includes('#'), { error: 'an id without #' })
    .meta({ description: 'Sending it again replaces the chunks that it had.' }),
  text: z.string().meta({ description: 'Cut into chunks; an empty one removes all chunks of the document.' }),
  metadata: metadataSchema
    // It is asked of what was refused already, too, which may be null.
    .refine((value: Metadata | null) => chunkFields.every((name) => !Object.hasOwn(value ?? {}, name)), {
      error: `metadata without ${chunkFields.join(', ')}: each chunk has these of its own`,
    })
    .optional()
    .meta({ description: 'Given to each of its chunks.' }),
});

const documentsInput = z
  .strictObject({
    collection: collectionName,
    documents: z
      .array(documentSchema)
      .min(1)
      .meta({ description: 'Texts of any length, up to the limit of the task.' }),
    maxTokens: z.int().min(8).max(8192).optional().meta({ description: 'Of a chunk, as in text.chunk.' }),
    overlapTokens: z.int().min(0).max(4096).optional().meta({ description: 'Shared by neighbours, as in text.chunk.' }),
  })
  .superRefine(({ maxTokens = defaultMaxTokens, overlapTokens = 0 }, context) => {
    if (overlapTokens * 2 < maxTokens) return;
    const message = `less than half of maxTokens, which is ${maxTokens}`;
    context.addIssue({ code: 'custom', path: ['overlapTokens'], message });
  });

/** A chunk of a document, ready to be a point. */
export interface ChunkPoint {
  readonly id: string;
  readonly vector: VectorValue;
  readonly metadata: Metadata;
}

/** A document with its chunks. */
export interface ChunkedDocument {
  readonly id: string;
  readonly points: readonly ChunkPoint[];
}

/** As it was sent, and once its children have ended with what they gave. */
type DocumentsInput = z.infer<typeof documentsInput> & {
  readonly chunked?: readonly ChunkedDocument[];
  readonly fingerprint?: string | undefined;
  readonly fence?: Fence;
};

const written = z.object({
  id: z.string(),
  chunks: z.int(),
  removed: z.int().meta({ description: 'Chunks that it had before and has no more.' }),
});

/** A vector, a text and their metadata in Redis; in bytes. */
const chunkBytes = 4000;
/** Characters of a chunk, at the least that is usual. */
const chunkCharacters = 400;

export const documents = defineTaskType({
  type: 'vector.documents',
  family: 'vector',
  description:
    'Cuts documents into chunks, embeds them and writes each as a point: text.chunk and inference.embed come first.',
  input: documentsInput as z.ZodType<DocumentsInput>,
  output: z.object({
    version: z.int().meta({ description: 'Of the collection, with these documents in it.' }),
    documents: z.array(written).meta({ description: 'In order.' }),
  }),
  limits: { items: 256, bytes: 4 * 2 ** 20 },
  example: { collection: 'books', documents: [{ id: 'mill', text: 'The wheel turns as long as the water runs.' }] },
  size: (input) => input.documents.length,
  collection: ({ collection, fingerprint }) => ({ name: collection, fingerprint, vectors: [] }),
  prepare: prepareDocuments,
  batchKey: ({ collection }) => collection,
  cost: ({ chunked = [] }) => chunked.reduce((sum, { points }) => sum + points.length, 1),
  resultBytes: ({ documents: given }, inputBytes) =>
    2 * inputBytes +
    given.reduce((sum, { text }) => sum + Math.ceil(text.length / chunkCharacters) * chunkBytes, endedTaskBytes),
});

/** First the chunks, then their vectors, then all is ready. */
function prepareDocuments(input: DocumentsInput, facts: PreparationFacts): Preparation<DocumentsInput> {
  const { maxTokens, overlapTokens } = input;
  const texts = input.documents.map(({ text }) => text);
  const options = { maxTokens, overlapTokens, model: facts.collection?.collection.model ?? undefined };
  const { outputs, missing } = outputsOfParts({ name: 'chunk', type: 'text.chunk', texts, options }, facts);
  if (missing.length > 0) return { ready: false, children: missing };
  const chunks = outputs.flatMap((output) => output['chunks'] as Chunk[][]);
  const ofChunks = chunks.flat().map(({ text }) => text);
  const embedded = embedFirst({ texts: ofChunks, purpose: 'document', fingerprint: undefined }, facts);
  if (embedded.children !== undefined) return { ready: false, children: embedded.children };
  const vectors = embedded.vectors[Symbol.iterator]();
  const chunked = input.documents.map(({ id, metadata }, index) => ({
    id,
    points: (chunks[index] ?? []).map(({ id: chunkId, text, start, end }, place) => ({
      id: `${id}#${chunkId}`,
      vector: vectors.next().value ?? '',
      metadata: { ...metadata, documentId: id, chunk: place, start, end, text },
    })),
  }));
  return { ready: true, input: { ...input, chunked, fingerprint: embedded.fingerprint, fence: facts.fence } };
}

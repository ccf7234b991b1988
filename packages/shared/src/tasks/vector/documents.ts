import { z } from 'zod';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import type { ChildTask, Preparation, PreparationFacts } from '../preparation.ts';
import { collectionName } from './collection.ts';
import { embedFirst } from './embed-first.ts';
import { metadataSchema, pointId } from './point.ts';
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
    .refine((value) => chunkFields.every((name) => !Object.hasOwn(value, name)), {
      error: `metadata without ${chunkFields.join(', ')}: each chunk has these of its own`,
    })
    .optional()
    .meta({ description: 'Given to each of its chunks.' }),
});

const documentsInput = z.strictObject({
  collection: collectionName,
  documents: z.array(documentSchema).min(1).meta({ description: 'Texts of any length, up to the limit of the task.' }),
  maxTokens: z.int().min(8).max(8192).optional().meta({ description: 'Of a chunk, as in text.chunk.' }),
  overlapTokens: z.int().min(0).max(4096).optional().meta({ description: 'Shared by neighbours, as in text.chunk.' }),
});

/** A chunk of a document, ready to be a point. */
export interface ChunkPoint {
  readonly id: string;
  readonly vector: VectorValue;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A document with its chunks. */
export interface ChunkedDocument {
  readonly id: string;
  readonly points: readonly ChunkPoint[];
}

/** As it was sent, and once its children have ended with what they gave. */
type DocumentsInput = z.infer<typeof documentsInput> & {
  readonly chunked?: readonly ChunkedDocument[];
  readonly fingerprint?: string;
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

/** Of the output of text.chunk. */
interface Chunk {
  readonly id: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** First the chunks, then their vectors, then all is ready. */
function prepareDocuments(input: DocumentsInput, facts: PreparationFacts): Preparation<DocumentsInput> {
  const output = facts.outputOf('chunk');
  if (output === undefined) return { ready: false, children: [chunkTask(input, facts)] };
  const chunks = output['chunks'] as readonly (readonly Chunk[])[];
  const texts = chunks.flat().map(({ text }) => text);
  const embedded = embedFirst({ name: 'embed', texts, purpose: 'document' }, facts);
  if (embedded.children !== undefined) return { ready: false, children: embedded.children };
  const vectors = embedded.vectors[Symbol.iterator]();
  const chunked = input.documents.map(({ id, metadata }, index) => ({
    id,
    points: (chunks[index] ?? []).map(({ id: chunkId, ...chunk }, place) => ({
      id: `${id}#${chunkId}`,
      vector: vectors.next().value ?? '',
      metadata: { ...metadata, documentId: id, chunk: place, start: chunk.start, end: chunk.end, text: chunk.text },
    })),
  }));
  // Without any text there is no vector, and no model to compare.
  const fingerprint = embedded.fingerprint === '' ? {} : { fingerprint: embedded.fingerprint };
  return { ready: true, input: { ...input, chunked, ...fingerprint } };
}

function chunkTask(input: DocumentsInput, { collection }: PreparationFacts): ChildTask {
  const { maxTokens, overlapTokens } = input;
  const model = collection?.collection.model ?? undefined;
  return {
    name: 'chunk',
    type: 'text.chunk',
    input: {
      texts: input.documents.map(({ text }) => text),
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(overlapTokens === undefined ? {} : { overlapTokens }),
      ...(model === undefined ? {} : { model }),
    },
  };
}

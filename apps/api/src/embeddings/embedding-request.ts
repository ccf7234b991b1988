import { MillraceError } from '@millrace/shared/errors';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import { modelName } from '@millrace/shared/tasks/inference/model-name';
import { problemsOf } from '@millrace/shared/tasks/problems';
import { z } from 'zod';

/** Texts of one request, as with OpenAI. */
const mostInputs = 2048;

const inputText = z.string().refine((text) => text.trim() !== '', { error: 'a text that is not empty' });

/** The body of POST /v1/embeddings, and of a line of a run over it. */
export const embeddingRequestSchema = z
  .strictObject({
    input: z
      .union([inputText, z.array(inputText).min(1).max(mostInputs)])
      .meta({ description: `A text, or up to ${mostInputs}. Tokens are not taken: they belong to a tokenizer.` }),
    model: modelName.default(bundledModel).meta({ description: 'As GET /v1/models lists them.' }),
    encoding_format: z
      .enum(['float', 'base64'])
      .default('float')
      .meta({ description: 'Arrays of numbers, or base64 of little-endian float32.' }),
    dimensions: z.int().min(1).optional().meta({ description: 'Taken only as many as the model gives.' }),
    user: z.string().optional().meta({ description: 'Not used.' }),
  })
  .meta({ id: 'EmbeddingRequest' });

/** What is to be embedded, and how it is to be answered. */
export interface EmbeddingRequest {
  readonly texts: readonly string[];
  readonly model: string;
  readonly encoding: 'float' | 'base64';
  readonly dimensions: number | undefined;
}

/** Reads a body. @throws MillraceError INVALID_REQUEST with every problem at once. */
export function parseEmbeddingRequest(body: unknown): EmbeddingRequest {
  refuseTokens(body);
  const parsed = embeddingRequestSchema.safeParse(body);
  if (!parsed.success) {
    const problems = problemsOf(parsed.error.issues, body);
    const [first] = problems;
    const detail = first ? `${first.path}: got ${first.got}, expected ${first.expected}.` : 'The request is not valid.';
    throw new MillraceError('INVALID_REQUEST', detail, { problems });
  }
  const { input, model, encoding_format: encoding, dimensions } = parsed.data;
  return { texts: typeof input === 'string' ? [input] : input, model, encoding, dimensions };
}

/** @throws MillraceError INVALID_REQUEST when a model gives another number of dimensions than was asked for. */
export function checkDimensions({ dimensions, model }: EmbeddingRequest, given: number): void {
  if (dimensions === undefined || dimensions === given) return;
  const expected = `${given}, or leave it out`;
  throw new MillraceError('INVALID_REQUEST', `dimensions: the model ${model} gives ${given}, not ${dimensions}.`, {
    problems: [{ path: 'dimensions', got: `${dimensions}`, expected, remedy: `Change it to ${expected}.` }],
  });
}

/** Said apart, for clients that tokenize by themselves send nothing else. */
function refuseTokens(body: unknown): void {
  const input: unknown = typeof body === 'object' && body !== null && 'input' in body ? body.input : undefined;
  if (!Array.isArray(input)) return;
  const [first] = input;
  if (typeof first !== 'number' && !Array.isArray(first)) return;
  const remedy = 'Send the texts themselves; a client that tokenizes has an option to leave that.';
  throw new MillraceError('INVALID_REQUEST', `input: got tokens, expected texts. ${remedy}`, {
    problems: [{ path: 'input', got: 'tokens', expected: 'a text or an array of texts', remedy }],
  });
}

import {
  APICallError,
  type EmbeddingModelV3,
  type EmbeddingModelV3CallOptions,
  type EmbeddingModelV3Result,
} from '@ai-sdk/provider';
import { type ErrorCode, errorTable, MillraceError } from '@millrace/shared/errors';
import type { OutputOf } from '@millrace/shared/tasks/catalog';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import type { Millrace } from './client.ts';
import { type EmbedOptions, shifted, splitTexts, textsPerTask } from './embed.ts';
import { defaultWaitMs } from './map-run.ts';

/** How a model of the AI SDK embeds: as `embed` of the client, whose options of a task it takes. */
export interface MillraceEmbeddingOptions extends Omit<EmbedOptions, 'signal'> {
  /** Values that `embedMany` gives to one call; 1 or more, default 64. A call becomes tasks of up to 64 texts. */
  readonly maxEmbeddingsPerCall?: number;
}

/** Those that the mill could not take. What failed there has been tried again there, as often as `attempts` says. */
const worthRetrying: ReadonlySet<ErrorCode> = new Set([
  'QUEUE_FULL',
  'RATE_LIMITED',
  'REDIS_UNAVAILABLE',
  'API_UNAVAILABLE',
]);

const type = 'inference.embed';

/**
 * A mill as embedding model of the AI SDK, for `embed` and `embedMany`. Usage is in tokens as the model counts them, before texts are
 * cut. The abort signal cancels the tasks and rejects with its reason; every other error is an APICallError with the MillraceError as
 * cause, its status and `{code, problems}` as data. `isRetryable` are those that the mill could not take.
 */
export function millraceEmbedding(
  mill: Pick<Millrace, 'enqueue'>,
  { maxEmbeddingsPerCall = textsPerTask, ...options }: MillraceEmbeddingOptions = {},
): EmbeddingModelV3 {
  return {
    specificationVersion: 'v3',
    provider: 'millrace',
    modelId: options.model ?? bundledModel,
    maxEmbeddingsPerCall,
    supportsParallelCalls: true,
    async doEmbed(call) {
      try {
        return resultOf(await outputsOf(mill, options, call));
      } catch (error) {
        throw error instanceof MillraceError ? callError(error, options) : error;
      }
    },
  };
}

type Output = OutputOf<typeof type>;

/** The outputs of the tasks that a call becomes, in order; when one fails or the signal comes, the others are cancelled. */
async function outputsOf(
  mill: Pick<Millrace, 'enqueue'>,
  { model, normalize, purpose, waitMs = defaultWaitMs, waitForRoomMs = waitMs, ...options }: EmbedOptions,
  { values, abortSignal }: EmbeddingModelV3CallOptions,
): Promise<Output[]> {
  abortSignal?.throwIfAborted();
  const common = {
    ...(model !== undefined && { model }),
    ...(normalize !== undefined && { normalize }),
    ...(purpose !== undefined && { purpose }),
  };
  let before = 0;
  const parts = [...splitTexts(values, common)].map((input) => {
    const first = before;
    before += input.texts.length;
    return { first, entry: mill.enqueue(type, input, { ...options, waitForRoomMs, signal: abortSignal }) };
  });
  const outputs = parts.map(async ({ first, entry }) => {
    try {
      const task = await entry;
      return await task.result({ timeoutMs: waitMs, signal: abortSignal });
    } catch (error) {
      throw error instanceof MillraceError ? shifted(error, first) : error;
    }
  });
  try {
    return await Promise.all(outputs);
  } catch (error) {
    // Nobody waits for them. Some have ended already, and those of a mill that is away cannot be reached.
    void Promise.allSettled(parts.map(async ({ entry }) => await (await entry).cancel()));
    throw error;
  }
}

function resultOf(outputs: readonly Output[]): EmbeddingModelV3Result {
  const [first] = outputs;
  const truncated = outputs.flatMap((output) => output.truncated);
  const cut = truncated.filter(Boolean).length;
  const message = `${cut} of ${truncated.length} texts were longer than the model reads, and were cut.`;
  return {
    embeddings: outputs.flatMap(({ embeddings }) => embeddings.map((vector) => Array.from(vector))),
    usage: { tokens: outputs.flatMap(({ tokens }) => tokens).reduce((sum, count) => sum + count, 0) },
    ...(first !== undefined && {
      providerMetadata: { millrace: { fingerprint: first.fingerprint, dimensions: first.dimensions } },
    }),
    warnings: cut === 0 ? [] : [{ type: 'other', message }],
  };
}

function callError(error: MillraceError, { model, purpose }: EmbedOptions): APICallError {
  const { code, message, problems, retryAfterMs } = error;
  return new APICallError({
    message: `${code}: ${message}`,
    url: `millrace:${type}`,
    // Without the texts: whoever logs an error does not expect them there.
    requestBodyValues: { model, purpose },
    statusCode: errorTable[code].status,
    isRetryable: worthRetrying.has(code),
    cause: error,
    data: { code, problems },
    // The AI SDK reads there how long to wait.
    ...(retryAfterMs !== undefined && { responseHeaders: { 'retry-after-ms': String(retryAfterMs) } }),
  });
}

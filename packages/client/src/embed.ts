import { MillraceError } from '@millrace/shared/errors';
import type { InputOf, OutputOf } from '@millrace/shared/tasks/catalog';
import type { EnqueueOptions } from './enqueue-options.ts';
import { gathered } from './gathered.ts';
import { mapTasks } from './map.ts';
import type { Transport } from './transport.ts';

/** How `embed` does it. */
export interface EmbedOptions extends EnqueueOptions {
  readonly model?: string;
  readonly normalize?: boolean;
  /** What the texts are for: a model may want queries and documents told apart. */
  readonly purpose?: 'query' | 'document';
  /** How long to wait for each task, in ms; default 10 minutes. So long it also waits for room, unless `waitForRoomMs` says otherwise. */
  readonly waitMs?: number;
}

/** How `embedEach` does it. */
export interface EmbedEachOptions extends EmbedOptions {
  /** Tasks of up to 64 texts under way at once; default 32. */
  readonly inFlight?: number;
}

type EmbedInput = InputOf<'inference.embed'>;
type EmbedOutput = OutputOf<'inference.embed'>;

/** Texts a task: enough to make the task's own cost small, few enough for many workers to share a call to `embed`. */
export const textsPerTask = 64;
/** Characters of texts in one task: well below the limit of a task in bytes. */
const charactersPerTask = 200_000;
/** Tasks under way at once: bounds what Redis and this process hold. */
const defaultInFlight = 32;

/** The vectors of texts, in their order. */
export async function embedTexts(
  transport: Transport,
  texts: readonly string[],
  options: EmbedOptions,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for await (const part of embedParts(transport, texts, options)) vectors.push(...part);
  return vectors;
}

/** The vectors of texts one by one. */
export async function* embedEach(
  transport: Transport,
  texts: Iterable<string> | AsyncIterable<string>,
  options: EmbedEachOptions,
): AsyncGenerator<Float32Array, void, undefined> {
  for await (const part of embedParts(transport, texts, options)) yield* part;
}

/** Splits texts into tasks, keeps a bounded number under way, and gives the vectors of each, in order. */
async function* embedParts(
  transport: Transport,
  texts: Iterable<string> | AsyncIterable<string>,
  { model, normalize, purpose, inFlight = defaultInFlight, ...options }: EmbedEachOptions,
): AsyncGenerator<Float32Array[], void, undefined> {
  const given = { model, normalize, purpose };
  const common = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const inputs = partsOf(texts, common);
  const work = { type: 'inference.embed', inputs, options: { ...options, inFlight } };
  let before = 0;
  for await (const outcome of mapTasks<EmbedInput, EmbedOutput>(transport, work)) {
    if (outcome.status === 'failed') throw shifted(outcome.error, before);
    before += outcome.input.texts.length;
    yield outcome.output.embeddings;
  }
}

/** The inputs of the tasks. Of texts that come one by one those go together that come in one breath. */
function partsOf(
  texts: Iterable<string> | AsyncIterable<string>,
  common: Omit<EmbedInput, 'texts'>,
): Iterable<EmbedInput> | AsyncIterable<EmbedInput> {
  return Symbol.asyncIterator in texts ? splitAsync(texts, common) : splitTexts(texts, common);
}

/** The inputs of the tasks that texts become. */
export function* splitTexts(texts: Iterable<string>, common: Omit<EmbedInput, 'texts'>): Generator<EmbedInput> {
  let part: string[] = [];
  for (const text of texts) {
    if (part.length > 0 && !fits(part, text)) {
      yield { ...common, texts: part };
      part = [];
    }
    part.push(text);
  }
  if (part.length > 0) yield { ...common, texts: part };
}

async function* splitAsync(
  texts: AsyncIterable<string>,
  common: Omit<EmbedInput, 'texts'>,
): AsyncGenerator<EmbedInput, void, undefined> {
  for await (const part of gathered(texts, fits)) yield { ...common, texts: part };
}

function fits(part: readonly string[], next: string): boolean {
  if (part.length === textsPerTask) return false;
  return part.reduce((sum, text) => sum + text.length, next.length) <= charactersPerTask;
}

/** An error of a task with the places of its texts among all texts, of which so many come before. */
export function shifted(error: MillraceError, before: number): MillraceError {
  const move = (text: string) =>
    text.replace(/\binput\.texts\[(\d+)\]/g, (_, at) => `input.texts[${Number(at) + before}]`);
  return new MillraceError(error.code, move(error.message), {
    problems: error.problems.map((problem) => ({ ...problem, path: move(problem.path) })),
    items: error.items.map((item) => ({ ...item, index: item.index + before })),
    cause: error,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  });
}

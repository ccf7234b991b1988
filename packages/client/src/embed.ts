import type { InputOf } from '@millrace/shared/tasks/catalog';
import type { EnqueueOptions } from './enqueue-options.ts';
import type { Task } from './task.ts';

/** How `embed` does it. */
export interface EmbedOptions extends EnqueueOptions {
  readonly model?: string;
  readonly normalize?: boolean;
  /** How long to wait for each task, in ms; default 10 minutes. So long it also waits for room, unless `waitForRoomMs` says otherwise. */
  readonly waitMs?: number;
}

type EnqueueEmbed = (input: InputOf<'inference.embed'>, options: EnqueueOptions) => Promise<Task<'inference.embed'>>;

/** Texts a task: enough to make the task's own cost small, few enough for many workers to share a call to `embed`. */
const textsPerTask = 64;
/** Characters of texts in one task: well below the limit of a task in bytes. */
const charactersPerTask = 200_000;
/** Tasks under way at once: bounds what Redis and this process hold. */
const tasksInFlight = 32;

/** Splits texts into tasks, keeps a bounded number under way, and gives the vectors back in the order of the texts. */
export async function embedTexts(
  enqueue: EnqueueEmbed,
  texts: readonly string[],
  { model, normalize, waitMs = 600_000, waitForRoomMs = waitMs, ...options }: EmbedOptions,
): Promise<Float32Array[]> {
  const parts = splitTexts(texts);
  const vectors: Float32Array[][] = new Array(parts.length);
  const rest = parts.entries();
  const carry = async () => {
    // Every carrier takes from the same iterator, so each part is taken once.
    for (const [index, part] of rest) {
      const input = {
        texts: part,
        ...(model === undefined ? {} : { model }),
        ...(normalize === undefined ? {} : { normalize }),
      };
      const task = await enqueue(input, { ...options, waitForRoomMs });
      const { embeddings } = await task.result({ timeoutMs: waitMs });
      vectors[index] = embeddings;
    }
  };
  await Promise.all(Array.from({ length: Math.min(tasksInFlight, parts.length) }, carry));
  return vectors.flat();
}

function splitTexts(texts: readonly string[]): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  let characters = 0;
  for (const text of texts) {
    if (part.length === textsPerTask || (part.length > 0 && characters + text.length > charactersPerTask)) {
      parts.push(part);
      part = [];
      characters = 0;
    }
    part.push(text);
    characters += text.length;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

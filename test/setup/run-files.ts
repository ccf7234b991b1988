import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, { toFile } from 'openai';
import type { Batch, BatchCreateParams } from 'openai/resources/batches';
import { expect } from 'vitest';

export const model = 'all-MiniLM-L6-v2';

/** The unmodified client of OpenAI, for an API of a test. */
export function openAiOf(url: string, apiKey = 'none'): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
}

/** A batch as Millrace gives it. */
export type MillBatch = Batch & {
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
  readonly progress: {
    readonly done: number;
    readonly lines_per_second: number | null;
    readonly eta_seconds: number | null;
    readonly blocked: { readonly code: string; readonly message: string } | null;
  };
};

/** A line of an input over /v1/embeddings. */
export function embedLine(customId: string, input: unknown, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/embeddings',
    body: { model, input, ...more },
  });
}

/** A line of an input over /v1/tasks. */
export function taskLine(customId: string, body: Record<string, unknown>): string {
  return JSON.stringify({ custom_id: customId, method: 'POST', url: '/v1/tasks', body });
}

export async function uploadLines(client: OpenAI, lines: readonly string[]): Promise<string> {
  const file = await toFile(Buffer.from(lines.map((line) => `${line}\n`).join('')), 'input.jsonl');
  return (await client.files.create({ purpose: 'batch', file })).id;
}

interface BatchOptions {
  readonly endpoint?: '/v1/embeddings' | '/v1/tasks';
  readonly window?: string;
  readonly metadata?: Record<string, string>;
}

/** Begins a run over a file. OpenAI's types know neither our endpoint nor other windows than its own. */
export async function createBatch(
  client: OpenAI,
  fileId: string,
  { endpoint = '/v1/embeddings', window = '24h', metadata }: BatchOptions = {},
): Promise<MillBatch> {
  const body = { input_file_id: fileId, endpoint, completion_window: window, ...(metadata ? { metadata } : {}) };
  return (await client.batches.create(body as BatchCreateParams)) as MillBatch;
}

export async function readBatch(client: OpenAI, id: string): Promise<MillBatch> {
  return (await client.batches.retrieve(id)) as MillBatch;
}

const ended = ['failed', 'completed', 'expired', 'cancelled'];

/** Looks at a run until something is true of it. @throws when it ends before. */
export async function untilBatch(
  client: OpenAI,
  id: string,
  isTrue: (batch: MillBatch) => boolean,
): Promise<MillBatch> {
  for (;;) {
    // An API that was just killed does not answer.
    const batch = await readBatch(client, id).catch(() => undefined);
    if (batch !== undefined && isTrue(batch)) return batch;
    if (batch !== undefined && ended.includes(batch.status)) {
      throw new Error(`the run ended before: ${JSON.stringify(batch)}`);
    }
    await sleep(50);
  }
}

export async function untilEnded(client: OpenAI, id: string): Promise<MillBatch> {
  return await untilBatch(client, id, ({ status }) => ended.includes(status));
}

/** The bytes of a file; empty when there is none. */
export async function contentOf(client: OpenAI, fileId: string | null | undefined): Promise<Buffer> {
  if (fileId === null || fileId === undefined) return Buffer.alloc(0);
  return Buffer.from(await (await client.files.content(fileId)).arrayBuffer());
}

/** A line of an output or error file. */
export interface AnswerLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly request_id: string;
    // biome-ignore lint/suspicious/noExplicitAny: a body of any endpoint
    readonly body: any;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export async function answersIn(client: OpenAI, fileId: string | null | undefined): Promise<AnswerLine[]> {
  const text = (await contentOf(client, fileId)).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AnswerLine);
}

/** Texts that the workers that live have computed, as soon as they have told of so many. */
export async function computedTexts(url: string, atLeast: number): Promise<number> {
  for (;;) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const sums = [...text.matchAll(/^millrace_call_items_sum\{[^}]*inference\.embed[^}]*\} (\d+)$/gm)];
    const computed = sums.reduce((sum, [, value]) => sum + Number(value), 0);
    if (computed >= atLeast) return computed;
    await sleep(100);
  }
}

/** What a look gives is what is expected, sooner or later; the machine may be busy. */
export function soon<T>(look: () => T | Promise<T>) {
  return expect.poll(look, { timeout: 20_000 });
}

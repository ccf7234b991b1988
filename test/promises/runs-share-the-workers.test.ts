import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { mixedTexts, ownPrefix } from '../setup/mill.ts';
import { startApi, startWorker, stopProcesses } from '../setup/processes.ts';
import {
  computedTexts,
  contentOf,
  createBatch,
  embedLine,
  model,
  openAiOf,
  readBatch,
  soon,
  untilBatch,
  untilEnded,
  uploadLines,
} from '../setup/run-files.ts';

const redisUrl = inject('redisUrl');
const FILES_DIR = mkdtempSync(path.join(tmpdir(), 'millrace-runs-'));
afterEach(stopProcesses);
afterAll(() => rmSync(FILES_DIR, { recursive: true, force: true }));

const linesOf = (count: number, mark: string) =>
  mixedTexts(count).map((text, index) => embedLine(`line-${index}`, `${mark} ${text}`));

describe('Runs', () => {
  it('share the workers: one that comes later goes as fast as one that was there', async () => {
    const options = { redisUrl, prefix: ownPrefix(), env: { FILES_DIR, RUN_WINDOW: '128' } };
    const [api] = await Promise.all([startApi(options), startWorker(options)]);
    const client = openAiOf(api.url);
    const count = 1500;
    const first = await createBatch(client, await uploadLines(client, linesOf(count, 'first')));
    await untilBatch(client, first.id, ({ progress }) => progress.done > 0);
    const second = await createBatch(client, await uploadLines(client, linesOf(count, 'second')));
    const begun = await untilBatch(client, second.id, ({ progress }) => progress.done > 0);
    const before = await readBatch(client, first.id);
    // Until the first is at its end, or nearly.
    const after = await untilBatch(client, first.id, ({ progress }) => progress.done > 0.8 * count);
    const other = await readBatch(client, second.id);
    expect(other.status).toBe('in_progress');
    const [mine, theirs] = [after.progress.done - before.progress.done, other.progress.done - begun.progress.done];
    expect(Math.min(mine, theirs) / Math.max(mine, theirs)).toBeGreaterThan(0.4);
    for (const { id } of [first, second]) expect((await untilEnded(client, id)).request_counts.completed).toBe(count);
  }, 120_000);

  it('let those pass who wait for an answer', async () => {
    const options = { redisUrl, prefix: ownPrefix(), env: { FILES_DIR } };
    const [api] = await Promise.all([startApi(options), startWorker(options)]);
    const client = openAiOf(api.url);
    const { id } = await createBatch(client, await uploadLines(client, linesOf(3000, 'pile')));
    const waiting = async () => {
      const { queues } = (await (await fetch(`${api.url}/v1/queues`)).json()) as {
        queues: { family: string; counts: { queued: number } }[];
      };
      return queues.find(({ family }) => family === 'inference')?.counts.queued ?? 0;
    };
    await soon(waiting).toBeGreaterThan(10);
    for (let asked = 0; asked < 3; asked += 1) {
      const { data } = await client.embeddings.create({ model, input: `a question ${asked}` });
      expect(data).toHaveLength(1);
      // What it went ahead of still waits.
      expect(await waiting()).toBeGreaterThan(0);
    }
    await client.batches.cancel(id);
    expect((await untilEnded(client, id)).status).toBe('cancelled');
  }, 120_000);

  it('compute only what is new when a file comes again and results are kept', async () => {
    const env = { FILES_DIR, RESULT_CACHE: String(64 * 2 ** 20), SAME_TEXT_MEMORY: '0' };
    const options = { redisUrl, prefix: ownPrefix(), env };
    const [api, worker] = await Promise.all([startApi(options), startWorker(options)]);
    const client = openAiOf(api.url);
    const lines = linesOf(300, 'same');
    const first = await untilEnded(client, (await createBatch(client, await uploadLines(client, lines))).id);
    expect(await computedTexts(api.url, 300)).toBe(300);
    await worker.stop();
    await startWorker(options);
    const changed = lines.with(7, embedLine('line-7', 'a new text')).with(200, embedLine('line-200', 'another'));
    const again = await untilEnded(client, (await createBatch(client, await uploadLines(client, changed))).id);
    expect(again.request_counts.completed).toBe(300);
    expect(await computedTexts(api.url, 2)).toBe(2);
    const [before, after] = await Promise.all(
      [first, again].map(async ({ output_file_id }) =>
        (await contentOf(client, output_file_id)).toString().split('\n'),
      ),
    );
    const different = before?.flatMap((line, index) => (line === after?.[index] ? [] : [index]));
    expect(different).toEqual([7, 200]);
  }, 120_000);
});

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { orphanDuty } from '../../apps/api/src/files/file-duties.ts';
import { DiskStore } from '../../apps/api/src/files/file-stores/disk.ts';
import { mixedTexts, ownPrefix } from '../setup/mill.ts';
import { startRedis } from '../setup/private-redis.ts';
import { startApi, startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';
import {
  computedTexts,
  contentOf,
  createBatch,
  embedLine,
  openAiOf,
  untilBatch,
  untilEnded,
  uploadLines,
} from '../setup/run-files.ts';

const redisUrl = inject('redisUrl');
/** Small here; `npm run runs:soak` does it with 20,000. */
const count = 600;
const lines = mixedTexts(count).map((text, index) => embedLine(`line-${index}`, text));
const homes: string[] = [];

afterAll(async () => {
  await stopProcesses();
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** A mill of its own: a prefix, and a folder for its files. */
function ownMill(env: Record<string, string> = {}) {
  const FILES_DIR = mkdtempSync(path.join(tmpdir(), 'millrace-runs-'));
  homes.push(FILES_DIR);
  const options = { redisUrl, prefix: ownPrefix(), env: { FILES_DIR, ...env } };
  return { options, FILES_DIR };
}

/** Removes what belongs to nothing, as an API does that looks two hours later. */
async function sweepOrphans(folder: string, prefix: string): Promise<void> {
  const redis = connectRedis({ url: redisUrl, prefix, role: 'producer', name: 'test', log: silentLogger() });
  const twoHoursMs = 7_200_000;
  const now = () => Date.now() + twoHoursMs;
  await orphanDuty({ redis, keys: createKeys(prefix), store: new DiskStore(folder), now }).run();
  redis.disconnect();
}

function driving({ lines: log }: TestProcess): boolean {
  return log.some(({ event }) => event === 'run.driving');
}

/** The output of a run that nothing happened to, once for all tests. */
let undisturbed: Promise<Buffer> | undefined;
async function undisturbedOutput(): Promise<Buffer> {
  undisturbed ??= (async () => {
    const { options } = ownMill();
    const [api, worker] = await Promise.all([startApi(options), startWorker(options)]);
    const client = openAiOf(api.url);
    const batch = await createBatch(client, await uploadLines(client, lines));
    const { output_file_id } = await untilEnded(client, batch.id);
    const bytes = await contentOf(client, output_file_id);
    await Promise.all([api.stop(), worker.stop()]);
    return bytes;
  })();
  return await undisturbed;
}

describe('A run over a file', () => {
  it('gives one answer a line, in order', async () => {
    const answers = (await undisturbedOutput())
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { custom_id: string });
    expect(answers.map(({ custom_id }) => custom_id)).toEqual(lines.map((_, index) => `line-${index}`));
  });

  it('goes on after API and workers were killed at 60 %, and gives the same bytes', async () => {
    const { options, FILES_DIR } = ownMill({ RUN_WINDOW: '128' });
    const worker = await startWorker(options);
    const first = await startApi(options);
    const client = openAiOf(first.url);
    const batch = await createBatch(client, await uploadLines(client, lines));
    const before = await untilBatch(client, batch.id, ({ progress }) => progress.done >= 0.6 * count);
    await Promise.all([first.stop('SIGKILL'), worker.stop('SIGKILL')]);
    const [second] = await Promise.all([startApi(options), startWorker(options)]);
    const again = openAiOf(second.url);
    const after = await untilEnded(again, batch.id);
    expect(after.status).toBe('completed');
    expect(after.request_counts).toEqual({ total: count, completed: count, failed: 0 });
    expect(before.progress.done).toBeLessThan(count);
    expect((await contentOf(again, after.output_file_id)).equals(await undisturbedOutput())).toBe(true);
    // Nothing but the input and the output is left.
    expect(readdirSync(FILES_DIR).sort()).toEqual([batch.input_file_id, after.output_file_id].sort());
  });

  it('is carried on by another API that was there all the time, and no task is done twice', async () => {
    const { options } = ownMill({ RUN_WINDOW: '128' });
    const worker = await startWorker(options);
    const apis = await Promise.all([startApi(options), startApi(options)]);
    const client = openAiOf(apis[0].url);
    const batch = await createBatch(client, await uploadLines(client, lines));
    await untilBatch(client, batch.id, ({ progress }) => progress.done > 0);
    const [driver, other] = driving(apis[0]) ? apis : [apis[1], apis[0]];
    await driver.stop('SIGKILL');
    const rest = openAiOf(other.url);
    const after = await untilEnded(rest, batch.id);
    expect((await contentOf(rest, after.output_file_id)).equals(await undisturbedOutput())).toBe(true);
    // The worker lived on: it computed each text once.
    expect(await computedTexts(other.url, count)).toBe(count);
    await worker.stop();
  });

  it('survives an API that is killed wherever it was: validating, in the middle of a part, between two, joining them', async () => {
    const { options, FILES_DIR } = ownMill({ RUN_WINDOW: '64' });
    await startWorker(options);
    let api = await startApi(options);
    let client = openAiOf(api.url);
    const input = await uploadLines(client, lines);
    const { id } = await createBatch(client, input);
    const parts = (names: readonly string[]) => names.filter((name) => name.startsWith('part-')).length;
    const moments: ((names: readonly string[]) => boolean)[] = [
      () => true,
      (names) => names.some((name) => name.startsWith('.draft-')),
      (names) => parts(names) >= 3,
      (names) => parts(names) >= 6,
      (names) => names.some((name) => name.startsWith('file-') && name !== input),
    ];
    for (const isMoment of moments) {
      while (!isMoment(readdirSync(FILES_DIR))) await nextTurn();
      await api.stop('SIGKILL');
      api = await startApi(options);
      client = openAiOf(api.url);
    }
    const after = await untilEnded(client, id);
    expect(after).toMatchObject({ status: 'completed', error_file_id: null });
    expect(after.request_counts).toEqual({ total: count, completed: count, failed: 0 });
    expect((await contentOf(client, after.output_file_id)).equals(await undisturbedOutput())).toBe(true);
    // What it was killed over may be left: drafts, and the parts if the run had just ended. It is swept when it is old.
    await sweepOrphans(FILES_DIR, options.prefix);
    expect(readdirSync(FILES_DIR).sort()).toEqual([input, after.output_file_id].sort());
  }, 180_000);

  it('is let go by an API that stops in order, and taken by the next at once', async () => {
    const { options } = ownMill({ RUN_WINDOW: '64' });
    await startWorker(options);
    const apis = await Promise.all([startApi(options), startApi(options)]);
    const client = openAiOf(apis[0].url);
    const { id } = await createBatch(client, await uploadLines(client, lines));
    await untilBatch(client, id, ({ progress }) => progress.done > 0);
    const [driver, other] = driving(apis[0]) ? apis : [apis[1], apis[0]];
    expect(await driver.stop('SIGTERM')).toBe(0);
    const stoppedAt = Date.now();
    const taken = await other.logged('run.driving');
    // Sooner than its lease would have lapsed.
    expect(Date.parse(String(taken['time'])) - stoppedAt).toBeLessThan(5000);
    const rest = openAiOf(other.url);
    const after = await untilEnded(rest, id);
    expect((await contentOf(rest, after.output_file_id)).equals(await undisturbedOutput())).toBe(true);
  });

  it('is not harmed by an API that stood still, was taken for dead, and comes back', async () => {
    const { options } = ownMill({ RUN_WINDOW: '64' });
    await startWorker(options);
    const apis = await Promise.all([startApi(options), startApi(options)]);
    const client = openAiOf(apis[0].url);
    const { id } = await createBatch(client, await uploadLines(client, lines));
    await untilBatch(client, id, ({ progress }) => progress.done > 0);
    const [driver, other] = driving(apis[0]) ? apis : [apis[1], apis[0]];
    process.kill(driver.pid, 'SIGSTOP');
    const rest = openAiOf(other.url);
    await untilBatch(rest, id, ({ progress }) => progress.done >= 0.7 * count);
    process.kill(driver.pid, 'SIGCONT');
    const after = await untilEnded(rest, id);
    expect(after.request_counts).toEqual({ total: count, completed: count, failed: 0 });
    // The one that came back serves what the other has written.
    const back = openAiOf(driver.url);
    expect((await contentOf(back, after.output_file_id)).equals(await undisturbedOutput())).toBe(true);
    expect(driver.lines.filter(({ level }) => level >= 50)).toEqual([]);
  });

  it('waits for Redis, and goes on when it is back', async () => {
    const redis = await startRedis();
    const { options } = ownMill({ RUN_WINDOW: '64' });
    const own = { ...options, redisUrl: redis.url };
    const [api] = await Promise.all([startApi(own), startWorker(own)]);
    const client = openAiOf(api.url);
    const { id } = await createBatch(client, await uploadLines(client, lines));
    await untilBatch(client, id, ({ progress }) => progress.done > 0);
    await redis.kill('SIGKILL');
    await expect(client.batches.retrieve(id)).rejects.toMatchObject({ status: 503, code: 'redis_unavailable' });
    await redis.restart();
    const after = await untilEnded(client, id);
    expect(after.request_counts).toEqual({ total: count, completed: count, failed: 0 });
    expect((await contentOf(client, after.output_file_id)).equals(await undisturbedOutput())).toBe(true);
    await stopProcesses();
    await redis.stop();
  });
});

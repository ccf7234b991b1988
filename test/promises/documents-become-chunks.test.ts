import { Millrace } from '@millrace/client';
import { silentLogger } from '@millrace/shared/logger';
import { jobOptions, openQueue } from '@millrace/shared/queues';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import type { StoredPoint } from '@millrace/shared/redis/point-bytes';
import { Points } from '@millrace/shared/redis/points';
import type { Family } from '@millrace/shared/tasks/task';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const keys = createKeys(prefix);
const redis = connectRedis({ url: redisUrl, role: 'worker', name: 'test', log: silentLogger() });
const points = new Points(redis, keys);
const waitMs = 60_000;
let mill: Millrace;

beforeAll(async () => {
  mill = new Millrace({ redisUrl, prefix });
  await mill.createCollection('library', { dimensions: 384, metric: 'cosine' });
});
afterEach(stopProcesses);
afterAll(async () => {
  await mill.close();
  await disconnectRedis(redis);
});

const start = (families: string, env: Record<string, string> = {}) =>
  startWorker({ redisUrl, prefix, env: { FAMILIES: families, INFERENCE_LANES: '1', ...env } });

/** Sentences of about 16 tokens each, so that each is a chunk of its own. */
function story(from: number, to: number): string {
  const things = ['wheel', 'river', 'miller', 'baker', 'bridge', 'sack of flour', 'donkey', 'grinding stone'];
  return Array.from({ length: to - from }, (_, index) => {
    const number = from + index;
    return `Number ${number} tells of the old ${things[number % things.length]} and what became of it that year.`;
  }).join('\n\n');
}

const input = (id: string, text: string, metadata: Record<string, string> = {}) => ({
  collection: 'library',
  documents: [{ id, text, metadata }],
  maxTokens: 24,
});

async function send(id: string, text: string, metadata: Record<string, string> = {}) {
  const task = await mill.enqueue('vector.documents', input(id, text, metadata));
  const { documents } = await task.result({ timeoutMs: waitMs });
  return { task, ...documents[0] };
}

async function chunksOf(id: string, collection = 'library'): Promise<StoredPoint[]> {
  const state = await new Collections(redis, keys).read(collection);
  if (state === undefined) throw new Error('the collection is gone');
  const found: StoredPoint[] = [];
  for await (const piece of points.scan(state.collection)) {
    found.push(...piece.filter(({ metadata }) => metadata?.['documentId'] === id));
  }
  return found.sort((a, b) => Number(a.metadata?.['chunk']) - Number(b.metadata?.['chunk']));
}

const textOf = (chunks: readonly StoredPoint[]) => chunks.map(({ metadata }) => metadata?.['text']).join('\n\n');

/** The jobs of a family that are parts of a task. */
async function partsOf(id: string, family: Family): Promise<string[]> {
  const found = await redis.keys(`${keys.bull(family, id)}-*`);
  return found.map((key) => key.slice(keys.bull(family, '').length)).filter((part) => !part.includes(':'));
}

describe('A document', () => {
  it('of hundreds of chunks becomes as many points, found by text, and leaves nothing of its parts behind', async () => {
    await start('text,inference,vector');
    const text = story(0, 400);
    const { task, chunks, removed } = await send('long', text, { lang: 'en' });
    expect([chunks, removed]).toEqual([400, 0]);
    const stored = await chunksOf('long');
    expect(stored.length).toBe(400);
    expect(textOf(stored)).toBe(text);
    expect(stored[7]?.metadata).toMatchObject({ documentId: 'long', chunk: 7, lang: 'en', start: expect.any(Number) });
    const search = { collection: 'library', texts: ['Number 211 tells of the old baker'], topK: 1 };
    const { results } = await (await mill.enqueue('vector.search', search)).result({ timeoutMs: waitMs });
    expect(results[0]?.hits[0]?.metadata?.['text']).toMatch(/^Number 211 /);

    const parts = { text: await partsOf(task.id, 'text'), inference: await partsOf(task.id, 'inference') };
    expect([parts.text.length, parts.inference.length]).toEqual([1, 2]);
    for (const family of ['text', 'inference'] as const) {
      for (const part of parts[family]) {
        expect(await redis.keys(`${prefix}:result:${family}:${part}:*`)).toEqual([]);
        // Their inputs have the text again: the sweeper forgets them as those of other ended tasks.
        const bytes = async () => await redis.hstrlen(keys.bull(family, part), 'data');
        await expect.poll(bytes, { timeout: waitMs, interval: 200 }).toBeLessThan(200);
        await expect(mill.get(`${family}.${part}`)).resolves.toMatchObject({ state: 'succeeded' });
      }
    }
  });

  it('that is sent again replaces its chunks: what an edit leaves alone keeps its id, what is gone is gone', async () => {
    await start('text,inference,vector');
    await send('edited', story(0, 30));
    await send('other', story(500, 505));
    const before = new Set((await chunksOf('edited')).map(({ id }) => id));
    const edited = `${story(0, 10)}\n\nSomething else stands here now, of about the same length as the others.\n\n${story(12, 30)}`;
    const { chunks, removed } = await send('edited', edited);
    const after = await chunksOf('edited');
    expect([chunks, removed]).toEqual([29, 2]);
    expect(textOf(after)).toBe(edited);
    expect(after.filter(({ id }) => before.has(id))).toHaveLength(28);
    expect(await send('edited', edited)).toMatchObject({ chunks: 29, removed: 0 });
    expect(await send('edited', '')).toMatchObject({ chunks: 0, removed: 29 });
    expect(await chunksOf('edited')).toEqual([]);
    expect(await chunksOf('other')).toHaveLength(5);
  });

  it('that several send at the same time is one of theirs in the end, whole', async () => {
    await Promise.all([start('text,inference,vector'), start('vector')]);
    for (let round = 0; round < 3; round += 1) {
      const texts = Array.from(
        { length: 6 },
        (_, index) => `${story(0, 6)}\n\n${story(100 * index, 100 * index + 12)}`,
      );
      const tasks = await mill.enqueueMany(
        'vector.documents',
        texts.map((text, index) => input('contested', text, { version: `v${index}` })),
      );
      await Promise.all(tasks.map((task) => task.result({ timeoutMs: waitMs })));
      const stored = await chunksOf('contested');
      const versions = new Set(stored.map(({ metadata }) => metadata?.['version']));
      expect(versions.size).toBe(1);
      expect(textOf(stored)).toBe(texts[Number(String([...versions][0]).slice(1))]);
    }
  });

  it('whose chunks cannot be embedded fails with the reason, and says which part of it', async () => {
    await start('text,inference,vector', { MODELS_DIR: 'test/models' });
    await mill.createCollection('classified', { dimensions: 8, metric: 'dot', model: 'tiny-text-classifier' });
    const documents = [{ id: 'd', text: 'A text.' }];
    const task = await mill.enqueue('vector.documents', { collection: 'classified', documents }, { attempts: 2 });
    const error = await task.result({ timeoutMs: waitMs }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: expect.stringMatching(/^inference\.embed \(inference\.v-.*embed-0/) });
    expect(await mill.get(task.id)).toMatchObject({ state: 'failed' });
    expect(await chunksOf('d', 'classified')).toEqual([]);
  });
});

describe('What waits for its parts', () => {
  const untilWaiting = async (id: string) => {
    const place = async () => await redis.zscore(keys.bull('vector', 'waiting-children'), id);
    await expect.poll(place, { timeout: waitMs, interval: 50 }).not.toBeNull();
    await expect.poll(() => partsOf(id, 'inference'), { timeout: waitMs, interval: 50 }).not.toEqual([]);
  };

  it('is cancelled with them, and a retry makes them anew', async () => {
    const worker = await start('text,vector');
    const task = await mill.enqueue('vector.documents', input('cancelled', story(0, 5)), { tags: ['mine'] });
    await untilWaiting(task.id);
    const [part = ''] = await partsOf(task.id, 'inference');
    await expect(mill.cancel(`inference.${part}`)).rejects.toMatchObject({ code: 'TASK_HAS_PARENT' });
    await mill.cancel(task.id);
    expect(await mill.get(task.id)).toMatchObject({ state: 'cancelled' });
    expect(await mill.get(`inference.${part}`)).toMatchObject({ state: 'cancelled' });
    await worker.stop();
    await start('text,inference,vector');
    await mill.retry(task.id);
    expect(await task.result({ timeoutMs: waitMs })).toMatchObject({ documents: [{ chunks: 5 }] });
    expect(await chunksOf('cancelled')).toHaveLength(5);
  });

  it('expires with them when nobody comes, whoever enqueued it, and can be retried', async () => {
    const worker = await start('text,vector');
    const task = await mill.enqueue('vector.documents', input('late', story(0, 5)), { expiresInMs: 3000 });
    const queue = openQueue({ family: 'vector', redis, prefix, log: silentLogger() });
    const data = { v: 1, input: input('bare', story(0, 3)), expiresAt: Date.now() + 3000 };
    await queue.add('vector.documents', data, jobOptions('bare-1', {}));
    await Promise.all([untilWaiting(task.id), untilWaiting('bare-1')]);
    await expect(task.result({ timeoutMs: waitMs })).rejects.toMatchObject({ code: 'EXPIRED' });
    const bare = async () => (await mill.get('vector.bare-1')).state;
    await expect.poll(bare, { timeout: waitMs, interval: 100 }).toBe('expired');
    await worker.stop();
    await start('text,inference,vector');
    await mill.retry(task.id);
    expect(await task.result({ timeoutMs: waitMs })).toMatchObject({ documents: [{ chunks: 5 }] });
    await queue.close();
  });

  it('goes on where it was when its workers are killed, and makes anew what is not kept any more', async () => {
    const first = await start('text,vector');
    const task = await mill.enqueue('vector.documents', input('torn', story(0, 8)));
    await untilWaiting(task.id);
    await first.stop('SIGKILL');
    // The chunks are gone, while the vectors are made: the task needs both.
    const [chunked = ''] = await partsOf(task.id, 'text');
    await redis.del(await redis.keys(`${prefix}:result:text:${chunked}:*`));
    await start('text,inference,vector');
    expect(await task.result({ timeoutMs: waitMs })).toMatchObject({ documents: [{ chunks: 8 }] });
    expect(textOf(await chunksOf('torn'))).toBe(story(0, 8));
  });

  it('tries again with what there is, after a failure of its own', async () => {
    await start('text,inference,vector');
    await mill.createCollection('narrow', { dimensions: 8, metric: 'cosine' });
    const task = await mill.enqueue('vector.documents', { ...input('kept', story(0, 6)), collection: 'narrow' });
    await expect(task.result({ timeoutMs: waitMs })).rejects.toMatchObject({ code: 'COLLECTION_MISMATCH' });
    const parts = await partsOf(task.id, 'inference');
    const startsOf = async () =>
      await Promise.all(parts.map((part) => redis.hget(keys.bull('inference', part), 'ats')));
    const before = await startsOf();
    await mill.dropCollection('narrow');
    await mill.createCollection('narrow', { dimensions: 384, metric: 'cosine' });
    await mill.retry(task.id);
    expect(await task.result({ timeoutMs: waitMs })).toMatchObject({ documents: [{ chunks: 6 }] });
    expect(await startsOf()).toEqual(before);
  });

  it('keeps to smaller limits of its parts than usual', async () => {
    await start('text,inference,vector', { TASK_LIMITS: 'inference.embed=3/400,text.chunk=1/20000' });
    const documents = [1, 2].map((number) => ({ id: `small-${number}`, text: story(number * 10, number * 10 + 7) }));
    const task = await mill.enqueue('vector.documents', { collection: 'library', documents, maxTokens: 24 });
    await task.result({ timeoutMs: waitMs });
    expect([(await partsOf(task.id, 'text')).length, (await partsOf(task.id, 'inference')).length]).toEqual([2, 5]);
    expect(textOf(await chunksOf('small-2'))).toBe(story(20, 27));
  });
});

import { Millrace } from '@millrace/client';
import { silentLogger } from '@millrace/shared/logger';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import type { StoredPoint } from '@millrace/shared/redis/point-bytes';
import { Points } from '@millrace/shared/redis/points';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const env = { FAMILIES: 'vector' };
const dimensions = 8;
/** Of the test's usual size; MILLRACE_TEST_WRITERS=20 makes it as large as it is meant to be. */
const writers = Number(process.env['MILLRACE_TEST_WRITERS'] ?? 6);
const writesEach = 30;
const kills = Math.max(3, writers / 3);
/** So many that snapshots are written. */
const basePoints = 2400;
const sharedIds = 40;
const waitMs = 120_000;

const redis = connectRedis({ url: redisUrl, role: 'worker', name: 'test', log: silentLogger() });
const keys = createKeys(prefix);
const points = new Points(redis, keys);
const collections = new Collections(redis, keys);
let mill: Millrace;

beforeAll(() => {
  mill = new Millrace({ redisUrl, prefix });
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
  await disconnectRedis(redis);
});

function vectorOf(seed: number): number[] {
  return Array.from({ length: dimensions }, (_, index) => Math.sin(seed * 12.9898 + index * 78.233));
}

const pointOf = (id: string, seed: number) => ({
  id,
  vector: vectorOf(seed),
  metadata: { seed, bucket: seed % 8, owner: id.split('-')[0] ?? '' },
});

/** Writes one thing after the other: points of its own, whose end it knows, and some that all write. */
class Writer {
  private readonly name: string;
  private readonly number: number;
  /** What its own points must be in the end: the seed of the vector. */
  readonly own = new Map<string, number>();

  constructor(number: number) {
    this.number = number;
    this.name = `w${number}`;
  }

  async run(): Promise<void> {
    for (let round = 0; round < writesEach; round += 1) await this.write(round);
  }

  private async write(round: number): Promise<void> {
    const seed = this.number * 10_000 + round;
    const mine = Array.from({ length: 10 }, (_, index) => `${this.name}-${(round * 3 + index) % 25}`);
    const shared = Array.from({ length: 5 }, (_, index) => `shared-${(seed + index * 7) % sharedIds}`);
    if (round % 5 === 3) {
      const gone = mine.slice(0, 4);
      await this.task('vector.delete', { ids: [...gone, ...shared.slice(0, 1)] });
      for (const id of gone) this.own.delete(id);
    } else if (round % 5 === 4) {
      const filter = { owner: this.name, bucket: round % 8 };
      await this.task('vector.delete', { filter });
      for (const [id, value] of this.own) if (value % 8 === round % 8) this.own.delete(id);
    } else {
      const ids = [...mine, ...shared];
      await this.task('vector.upsert', { points: ids.map((id, index) => pointOf(id, seed + index)) });
      for (const [index, id] of mine.entries()) this.own.set(id, seed + index);
    }
  }

  private async task(type: 'vector.upsert' | 'vector.delete', input: object): Promise<void> {
    const task = await mill.enqueue(type, { collection: 'truth', ...input } as never);
    await task.result({ timeoutMs: waitMs });
  }
}

/** Kills workers, or only their lanes, and starts others in their place. */
async function killAround(workers: TestProcess[], isOver: () => boolean): Promise<void> {
  for (let kill = 0; kill < kills && !isOver(); kill += 1) {
    const at = kill % workers.length;
    const victim = workers[at];
    if (victim === undefined) return;
    const lane = await laneOf(victim);
    if (kill % 3 === 1 && lane !== undefined) {
      process.kill(lane, 'SIGKILL');
      await victim.logged('lane.died');
    } else {
      await victim.stop('SIGKILL');
      workers[at] = await startWorker({ redisUrl, prefix, env });
    }
  }
}

async function laneOf({ pid }: TestProcess): Promise<number | undefined> {
  const beats = await new WorkerRegistry(redis, keys).list();
  return beats.find((beat) => beat.pid === pid)?.lanes[0]?.pid ?? undefined;
}

async function truth(): Promise<Map<string, StoredPoint>> {
  const state = await collections.read('truth');
  if (state === undefined) throw new Error('the collection is gone');
  const all = new Map<string, StoredPoint>();
  for await (const piece of points.scan(state.collection)) for (const point of piece) all.set(point.id, point);
  return all;
}

/** What an exact search must give, by a look at every point that Redis has. */
function nearest(all: ReadonlyMap<string, StoredPoint>, query: readonly number[], bucket: number | undefined) {
  return [...all.values()]
    .filter(({ metadata }) => bucket === undefined || metadata?.['bucket'] === bucket)
    .map(({ id, vector }) => {
      const squares = vector.reduce((sum, value, index) => sum + (value - Math.fround(query[index] ?? 0)) ** 2, 0);
      return { id, squares, score: Math.sqrt(squares) };
    })
    .sort((a, b) => a.squares - b.squares || (a.id < b.id ? -1 : 1));
}

/** Asks the only worker there is. */
async function compareAnswers(all: ReadonlyMap<string, StoredPoint>): Promise<void> {
  const queries = Array.from({ length: 10 }, (_, index) => vectorOf(index * 1234 + 5));
  for (const bucket of [undefined, 0, 1, 2, 3, 4, 5, 6, 7]) {
    const filter = bucket === undefined ? {} : { filter: { bucket } };
    const input = { collection: 'truth', vectors: queries, topK: 1000, exact: true, ...filter };
    const { results } = await (await mill.enqueue('vector.search', input)).result({ timeoutMs: waitMs });
    for (const [index, { hits, exact }] of results.entries()) {
      const wanted = nearest(all, queries[index] ?? [], bucket).slice(0, 1000);
      expect(exact).toBe(true);
      expect(hits).toHaveLength(wanted.length);
      hits.forEach(({ id, score, metadata }, place) => {
        expect([place, id]).toEqual([place, wanted[place]?.id]);
        expect(score).toBeCloseTo(wanted[place]?.score ?? -1, 9);
        expect(metadata).toEqual(all.get(id)?.metadata);
      });
    }
  }
}

describe('Every worker', () => {
  it('answers as Redis has it after writes of many, while workers and lanes were killed', async () => {
    await mill.createCollection('truth', { dimensions, metric: 'l2' });
    const workers = await Promise.all([1, 2, 3].map(() => startWorker({ redisUrl, prefix, env })));
    const parts = Array.from({ length: basePoints / 800 }, (_, part) =>
      Array.from({ length: 800 }, (_, index) => pointOf(`base-${part * 800 + index}`, part * 800 + index)),
    );
    const base = await mill.enqueueMany(
      'vector.upsert',
      parts.map((part) => ({ collection: 'truth', points: part })),
    );
    await Promise.all(base.map((task) => task.result({ timeoutMs: waitMs })));

    let over = false;
    const all = Array.from({ length: writers }, (_, number) => new Writer(number));
    const killing = killAround(workers, () => over);
    await Promise.all(all.map((writer) => writer.run()));
    over = true;
    await killing;

    const stored = await truth();
    for (const { own } of all) {
      for (const [id, seed] of own) expect([id, stored.get(id)?.metadata?.['seed']]).toEqual([id, seed]);
    }
    const owned = [...stored.keys()].filter((id) => id.startsWith('w'));
    expect(owned.sort()).toEqual(all.flatMap(({ own }) => [...own.keys()]).sort());

    const [survivor, ...others] = workers;
    await Promise.all(others.map((worker) => worker.stop()));
    await compareAnswers(stored);
    await survivor?.stop();
    // One that finds a snapshot, perhaps, and one that has none.
    for (const more of [{}, { SNAPSHOTS_DIR: '/dev/null/none' }]) {
      const fresh = await startWorker({ redisUrl, prefix, env: { ...env, ...more } });
      await compareAnswers(stored);
      await fresh.stop();
    }
  }, 600_000);
});

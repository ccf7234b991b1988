import { TaskIndex } from '@millrace/shared/redis/task-index';
import type { TaskView } from '@millrace/shared/tasks/task';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { beatOf } from './beat.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';
import { openStandInWorker } from './stand-in-worker.ts';

let test: TestApi;
let worker: { close(): Promise<void> };
let letGo = () => {};
const gate = new Promise<void>((resolve) => {
  letGo = resolve;
});

beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
  worker = openStandInWorker({
    ...test,
    until: async (job) => (job.data.tags?.includes('held') ? await gate : undefined),
  });
});
afterAll(async () => {
  letGo();
  await worker.close();
  await test.api.close();
});

interface Page {
  readonly tasks: readonly TaskView[];
  readonly cursor: string | null;
}

async function list(query: Record<string, string | number> = {}): Promise<Page> {
  const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const response = await test.get(`/v1/tasks?${parameters}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

/** All pages of a list; each must lead to the next. */
async function listAll(query: Record<string, string | number> = {}): Promise<TaskView[]> {
  const tasks: TaskView[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = await list({ ...query, ...(cursor === '' ? {} : { cursor }) });
    tasks.push(...page.tasks);
    ({ cursor } = page);
  }
  return tasks;
}

async function enqueueBulk(tasks: readonly unknown[]): Promise<string[]> {
  const response = await test.post('/v1/tasks/bulk', { tasks });
  const { items } = (await response.json()) as { items: { id: string }[] };
  return items.map(({ id }) => id);
}

const ended = async (task: unknown) => ((await (await test.post('/v1/tasks?wait=20', task)).json()) as TaskView).id;
const ids = (tasks: readonly TaskView[]) => tasks.map(({ id }) => id);

describe('The list of tasks', () => {
  it('has the newest first, and none twice or left out over its pages', async () => {
    const tag = 'pages';
    const clean = { type: 'text.clean', input: { texts: ['a'], format: 'plain' }, tags: [tag] };
    const bulk = await enqueueBulk(
      Array.from({ length: 130 }, (_, at) => (at % 3 ? embedTask(['a'], { tags: [tag] }) : clean)),
    );
    const last = await ended(embedTask(['a'], { tags: [tag] }));
    const tasks = await listAll({ tag, limit: 7 });
    expect(tasks[0]?.id).toBe(last);
    expect([...ids(tasks)].sort()).toEqual([...bulk, last].sort());
    const times = tasks.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort().reverse());
    expect(tasks.every(({ tags }) => tags.includes(tag))).toBe(true);
  });

  it('goes on where it was, whatever is enqueued meanwhile', async () => {
    const tag = 'steady';
    const before = await enqueueBulk(Array(20).fill(embedTask(['a'], { tags: [tag] })));
    const first = await list({ tag, limit: 10 });
    await enqueueBulk(Array(20).fill(embedTask(['a'], { tags: [tag] })));
    const second = await list({ tag, limit: 200, cursor: first.cursor ?? '' });
    expect([...ids(first.tasks), ...ids(second.tasks)].sort()).toEqual([...before].sort());
    expect(second.cursor).toBeNull();
  });

  it('has tasks by state and type, failed ones with their reason', async () => {
    const tag = 'states';
    const succeeded = await ended(embedTask(['a'], { tags: [tag] }));
    const failed = await ended(embedTask(['fail'], { tags: [tag] }));
    const [scheduled] = await enqueueBulk([embedTask(['a'], { tags: [tag], delayMs: 3_600_000 })]);
    const [running] = await enqueueBulk([embedTask(['a'], { tags: [tag, 'held'] })]);
    await expect.poll(async () => ids((await list({ tag, state: 'running' })).tasks)).toEqual([running]);
    expect(ids((await list({ tag, state: 'scheduled' })).tasks)).toEqual([scheduled]);
    expect(ids((await list({ tag, state: 'succeeded' })).tasks)).toEqual([succeeded]);
    const { tasks } = await list({ tag, state: 'failed' });
    expect(ids(tasks)).toEqual([failed]);
    expect(tasks[0]?.error).toEqual({ code: 'PROCESSOR_FAILED', message: 'the wheel is stuck' });
    expect((await list({ tag, type: 'text.clean' })).tasks).toEqual([]);
    expect(ids((await list({ tag, type: 'inference.embed' })).tasks)).toHaveLength(4);
    await test.post(`/v1/tasks/${scheduled}/cancel`, '');
    expect(ids((await list({ tag, state: 'cancelled' })).tasks)).toEqual([scheduled]);
  });

  it('does not show a task as running whose worker is dead', async () => {
    const { redis, keys } = test.mill;
    const beat = beatOf({ id: 'alive-1-aa', families: ['vector'] });
    await test.mill.workers.beat(beat, {});
    const queue = new Queue('vector', { connection: { url: test.redisUrl }, prefix: test.prefix });
    for (const worker of ['alive-1-aa', 'dead-1-bb']) {
      const job = await queue.add(
        'vector.search',
        { v: 1, input: {}, tags: ['ghosts'] },
        { jobId: `of-${worker}`, priority: 1 },
      );
      // As a worker leaves it that pulled it and was killed.
      await redis.zrem(keys.bull('vector', 'prioritized'), job.id ?? '');
      await redis.lpush(keys.bull('vector', 'active'), job.id ?? '');
      await redis.hset(keys.bull('vector', job.id ?? ''), 'pb', worker, 'processedOn', Date.now() - 10_000);
      await new TaskIndex(redis, keys).add('vector', [
        { jobId: job.id ?? '', createdAt: job.timestamp, tags: ['ghosts'], expiresAt: undefined },
      ]);
    }
    expect(ids((await list({ tag: 'ghosts', state: 'running' })).tasks)).toEqual(['vector.of-alive-1-aa']);
    expect(ids((await list({ tag: 'ghosts', state: 'queued' })).tasks)).toEqual(['vector.of-dead-1-bb']);
    await queue.close();
  });

  it('forgets tasks that are gone', async () => {
    const tag = 'gone';
    const [id = ''] = await enqueueBulk([embedTask(['a'], { tags: [tag], delayMs: 3_600_000 })]);
    await test.mill.queues.get('inference')?.remove(id);
    expect(await list({ tag })).toEqual({ tasks: [], cursor: null });
    expect(await test.mill.redis.zscore(test.keys.tasks('inference'), id)).toBeNull();
    expect(await test.mill.redis.exists(test.keys.tagged('inference', tag))).toBe(0);
    expect(await test.mill.redis.hexists(test.keys.tagsOf('inference'), id)).toBe(0);
  });

  it('looks at 5,000 tasks at most, and then leads on though it found nothing', async () => {
    const own = await openTestApi(inject('redisUrl'));
    await Promise.all(
      Array.from({ length: 3 }, () => own.post('/v1/tasks/bulk', { tasks: Array(2000).fill(embedTask(['a'])) })),
    );
    const first = (await (await own.get('/v1/tasks?state=failed')).json()) as Page;
    expect(first.tasks).toEqual([]);
    expect(first.cursor).not.toBeNull();
    const second = (await (await own.get(`/v1/tasks?state=failed&cursor=${first.cursor}`)).json()) as Page;
    expect(second).toEqual({ tasks: [], cursor: null });
    await own.api.close();
  });

  it.each(['limit=0', 'limit=201', 'limit=many', 'state=lost', 'cursor=nonsense', 'type=audio.hear', 'tags=a', 'tag='])(
    'refuses ?%s',
    async (query) => {
      const response = await test.get(`/v1/tasks?${query}`);
      expect(response.status).toBe(422);
      const problem = await problemIn(response);
      expect(problem.code).toBe('INVALID_REQUEST');
      expect(problem.problems?.[0]?.path).toBe(`query.${query.split('=')[0]}`);
    },
  );
});

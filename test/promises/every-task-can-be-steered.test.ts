import { fileURLToPath } from 'node:url';
import { spentInputsDuty } from '@millrace/shared/sweep/spent-inputs';
import { waitListDuty } from '@millrace/shared/sweep/wait-list';
import type { TaskView } from '@millrace/shared/tasks/task';
import { FlowProducer, Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { openTestApi, problemIn, type TestApi } from '../api/open-test-api.ts';
import { startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const plugin = fileURLToPath(new URL('../setup/trouble-plugin.mjs', import.meta.url));
let test: TestApi;

beforeEach(async () => {
  test = await openTestApi(redisUrl, { MILLRACE_PLUGINS: [plugin] });
});
afterEach(async () => {
  await test.api.close();
  await stopProcesses();
});

const startTextWorker = (): Promise<TestProcess> =>
  startWorker({ redisUrl, prefix: test.prefix, env: { FAMILIES: 'text', MILLRACE_PLUGINS: plugin } });

const json = async (response: Response) => (await response.json()) as TaskView;

async function enqueue(texts: readonly string[], options: Record<string, unknown> = {}): Promise<string> {
  const response = await test.post('/v1/tasks', { type: 'text.trouble', input: { texts }, ...options });
  expect(response.status).toBe(202);
  return (await json(response)).id;
}

const read = async (id: string, query = '') => await json(await test.get(`/v1/tasks/${id}${query}`));
const cancel = (id: string) => test.post(`/v1/tasks/${id}/cancel`, '');
const retry = (id: string) => test.post(`/v1/tasks/${id}/retry`, '');

async function untilState(id: string, state: TaskView['state']): Promise<void> {
  await expect.poll(async () => (await read(id)).state, { timeout: 20_000 }).toBe(state);
}

async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  expect(response.status).toBe(status);
  expect((await problemIn(response)).code).toBe(code);
}

describe('A task that has not begun', () => {
  it.each([
    ['waits', {}],
    ['is not due', { delayMs: 3_600_000 }],
  ])('and %s is cancelled at once, and whoever waits for it is told', async (_name, options) => {
    const id = await enqueue(['fine'], options);
    const waiting = read(id, '?wait=30');
    await expect.poll(() => test.mill.waiting.size).toBe(1);
    const response = await cancel(id);
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({ id, state: 'cancelled', error: { code: 'CANCELLED' } });
    expect(await waiting).toMatchObject({ id, state: 'cancelled' });
  });

  it('and came from a bare producer is cancelled wherever it waits', async () => {
    const queue = new Queue('text', { connection: { url: redisUrl }, prefix: test.prefix });
    const data = { v: 1, input: { texts: ['fine'] } };
    const jobs = await Promise.all(
      [{}, { priority: 3 }, { delay: 60_000 }].map((opts) => queue.add('text.trouble', data, opts)),
    );
    for (const { id } of jobs) expect(await json(await cancel(`text.${id}`))).toMatchObject({ state: 'cancelled' });
    expect(await queue.getJobCounts('wait', 'prioritized', 'delayed', 'failed')).toEqual({
      wait: 0,
      prioritized: 0,
      delayed: 0,
      failed: 3,
    });
    await queue.close();
  });

  it('and backs off after a failed attempt is cancelled for its own reason', async () => {
    await startTextWorker();
    const id = await enqueue(['fail'], { backoff: { type: 'fixed', delayMs: 3_600_000 } });
    await expect.poll(async () => (await read(id)).retryAt, { timeout: 20_000 }).not.toBeNull();
    expect(await json(await cancel(id))).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
    const { error } = await read(id);
    expect(error).toEqual({ code: 'CANCELLED', message: 'It was cancelled before it began.' });
  });

  it('and waits for its parts is cancelled with them, while a part alone is not', async () => {
    const flow = new FlowProducer({ connection: { url: redisUrl }, prefix: test.prefix });
    const data = { v: 1, input: { texts: ['fine'] } };
    const opts = { ignoreDependencyOnFailure: true, delay: 3_600_000 };
    const { job, children = [] } = await flow.add({
      name: 'text.trouble',
      queueName: 'text',
      data,
      children: [1, 2].map(() => ({ name: 'text.trouble', queueName: 'text', data, opts })),
    });
    const id = `text.${job.id}`;
    const parts = children.map((child) => `text.${child.job.id}`);
    expect((await read(id)).state).toBe('queued');
    await expectProblem(await cancel(parts[0] ?? ''), 409, 'TASK_HAS_PARENT');
    expect(await json(await cancel(id))).toMatchObject({ id, state: 'cancelled' });
    expect(await Promise.all(parts.map(async (part) => (await read(part)).state))).toEqual(['cancelled', 'cancelled']);
    await flow.close();
  });

  it('is not cancelled twice, nor when there is none', async () => {
    const id = await enqueue(['fine']);
    await cancel(id);
    await expectProblem(await cancel(id), 409, 'TASK_ENDED');
    await expectProblem(await cancel('t-01a20f0c-44ab-7483-9b07-23eeade889c6'), 404, 'TASK_NOT_FOUND');
    await expectProblem(await cancel('nonsense'), 404, 'TASK_NOT_FOUND');
  });
});

describe('A task that runs', () => {
  it('is cancelled, and those that share its calls succeed', async () => {
    await startTextWorker();
    const long = await enqueue(Array(100).fill('work'));
    const mate = await enqueue(['work', 'fine']);
    await untilState(long, 'running');
    const response = await cancel(long);
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({ id: long, state: 'cancelled', error: { code: 'CANCELLED' } });
    expect(await read(mate, '?wait=30')).toMatchObject({ state: 'succeeded' });
    expect(await test.mill.redis.zcard(test.keys.cancellations('text'))).toBe(0);
  });

  it('on a worker that dies is cancelled by whoever takes it back', async () => {
    const doomed = await startTextWorker();
    const id = await enqueue(Array(200).fill('work'));
    await untilState(id, 'running');
    await doomed.stop('SIGKILL');
    const response = await cancel(id);
    expect(response.status).toBe(202);
    const other = await startTextWorker();
    expect(await read(id, '?wait=30')).toMatchObject({ id, state: 'cancelled' });
    expect(other.lines.filter(({ event }) => event === 'lane.died')).toEqual([]);
  });

  it('is not shown as running for longer than 15 s after its worker was killed', async () => {
    const doomed = await startTextWorker();
    const id = await enqueue(Array(250).fill('work'));
    await untilState(id, 'running');
    const { worker } = await read(id);
    expect(worker).not.toBeNull();
    await doomed.stop('SIGKILL');
    await expect.poll(async () => (await read(id)).state, { timeout: 15_000 }).toBe('queued');
    const { tasks } = (await (await test.get('/v1/tasks?state=running')).json()) as { tasks: unknown[] };
    expect(tasks).toEqual([]);
    const { summary } = (await (await test.get(`/v1/tasks/${id}/explain`)).json()) as { summary: string };
    expect(summary).toContain(`Its worker ${worker} does not answer any more`);
  });
});

describe('A wish to cancel', () => {
  it('is not lost when the task is pulled at that moment', async () => {
    await startTextWorker();
    const ids = await Promise.all(Array.from({ length: 300 }, () => enqueue(['work'])));
    const statuses = (await Promise.all(ids.map(cancel))).map(({ status }) => status);
    const ended = await Promise.all(ids.map((id) => read(id, '?wait=30')));
    // The first few were computed before anybody wished anything, and it was said so.
    const states = new Set(ended.map(({ state }, index) => `${statuses[index]} ${state}`));
    expect([...states].filter((seen) => seen !== '200 succeeded' && seen !== '409 succeeded')).toEqual([
      '200 cancelled',
    ]);
    expect(ended.filter(({ state }) => state === 'cancelled').length).toBeGreaterThan(200);
    expect(await test.mill.redis.zcard(test.keys.cancellations('text'))).toBe(0);
  });
});

describe('A task that has ended', () => {
  it('is tried again when it failed, from its first attempt, with its next result', async () => {
    await startTextWorker();
    const id = await enqueue(['fail'], { attempts: 1 });
    expect(await read(id, '?wait=30')).toMatchObject({ state: 'failed', attempt: 1 });
    expect(await test.mill.redis.zscore(test.keys.ended('text'), id)).not.toBeNull();
    const response = await retry(id);
    expect(response.status).toBe(200);
    expect(['queued', 'running', 'failed']).toContain((await json(response)).state);
    expect(await read(id, '?wait=30')).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { code: 'PROCESSOR_FAILED' },
    });
    const results = await test.mill.redis.keys(`${test.prefix}:result:text:${id}:*`);
    expect(results.map((key) => key.split(':').at(-1)).sort()).toEqual(['1', '2']);
  });

  it('is tried again when it expired, and does not expire again', async () => {
    const id = await enqueue(['fine'], { expiresInMs: 1 });
    await startTextWorker();
    expect(await read(id, '?wait=30')).toMatchObject({ state: 'expired' });
    await retry(id);
    expect(await read(id, '?wait=30')).toMatchObject({ state: 'succeeded' });
  });

  it('is tried again when it was cancelled, waiting or running', async () => {
    const unbegun = await enqueue(['fine']);
    await cancel(unbegun);
    await startTextWorker();
    const begun = await enqueue(Array(60).fill('work'));
    await untilState(begun, 'running');
    await cancel(begun);
    await Promise.all([unbegun, begun].map(retry));
    expect(await read(unbegun, '?wait=30')).toMatchObject({ state: 'succeeded' });
    expect(await read(begun, '?wait=30')).toMatchObject({ state: 'succeeded' });
  });

  it('is not tried again when it succeeded or waits', async () => {
    const waiting = await enqueue(['fine']);
    await expectProblem(await retry(waiting), 409, 'TASK_NOT_FAILED');
    await startTextWorker();
    await read(waiting, '?wait=30');
    await expectProblem(await retry(waiting), 409, 'TASK_NOT_FAILED');
    await expectProblem(await retry('text.none'), 404, 'TASK_NOT_FOUND');
  });

  it('is not tried again when its input is no longer kept', async () => {
    const { redis, keys } = test.mill;
    const id = await enqueue(['a long text '.repeat(100)], { delayMs: 3_600_000 });
    await cancel(id);
    await redis.zadd(keys.ended('text'), Date.now() - 1, id);
    await spentInputsDuty({ redis, keys, now: Date.now }).run();
    await expectProblem(await retry(id), 410, 'RESULT_EXPIRED');
    expect((await read(id)).state).toBe('cancelled');
    expect(await redis.zscore(keys.ended('text'), id)).not.toBeNull();
  });

  it('is tried again once, however many ask at the same time', async () => {
    await startTextWorker();
    const id = await enqueue(['fail'], { attempts: 1 });
    await read(id, '?wait=30');
    await test.post('/v1/queues/text/pause', '');
    const statuses = (await Promise.all(Array.from({ length: 20 }, () => retry(id)))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
    expect(await test.mill.queues.get('text')?.getJobCounts('prioritized', 'wait', 'failed')).toEqual({
      prioritized: 1,
      wait: 0,
      failed: 0,
    });
  });

  it('is tried again with all that failed of its type, but not those that were cancelled', async () => {
    await startTextWorker();
    const failing = await Promise.all(Array.from({ length: 20 }, () => enqueue(['fail'], { attempts: 1 })));
    const later = await enqueue(['fine'], { delayMs: 3_600_000 });
    await cancel(later);
    await Promise.all(failing.map((id) => read(id, '?wait=30')));
    const none = await test.post('/v1/tasks/retry', { type: 'text.clean' });
    expect(await none.json()).toEqual({ retried: 0, more: false });
    const all = await test.post('/v1/tasks/retry', { type: 'text.trouble' });
    expect(await all.json()).toEqual({ retried: 20, more: false });
    expect((await read(later)).state).toBe('cancelled');
    await expectProblem(await test.post('/v1/tasks/retry', {}), 422, 'INVALID_REQUEST');
  });
});

describe('A family', () => {
  it('that is paused begins nothing, and goes on when it is resumed', async () => {
    await startTextWorker();
    expect(await (await test.post('/v1/queues/text/pause', '')).json()).toEqual({ family: 'text', paused: true });
    const id = await enqueue(['fine']);
    expect((await read(id, '?wait=1')).state).toBe('queued');
    const { summary } = (await (await test.get(`/v1/tasks/${id}/explain`)).json()) as { summary: string };
    expect(summary).toContain('The family text is paused');
    expect(await (await test.post('/v1/queues/text/resume', '')).json()).toEqual({ family: 'text', paused: false });
    expect((await read(id, '?wait=30')).state).toBe('succeeded');
    await expectProblem(await test.post('/v1/queues/audio/pause', ''), 422, 'INVALID_REQUEST');
  });
});

describe('A waiting task', () => {
  it('takes the place that its new priority gives it', async () => {
    const ids = [];
    for (let count = 0; count < 5; count += 1) ids.push(await enqueue(['fine']));
    const last = ids.at(-1) ?? '';
    const ahead = async (id: string) =>
      ((await (await test.get(`/v1/tasks/${id}/explain`)).json()) as { ahead: unknown }).ahead;
    expect(await ahead(last)).toEqual({ moreUrgent: 0, samePriority: 4 });
    const response = await test.post(`/v1/tasks/${last}/priority`, { priority: 'critical' });
    expect(await json(response)).toMatchObject({ id: last, priority: 1 });
    expect(await ahead(last)).toEqual({ moreUrgent: 0, samePriority: 0 });
    expect(await ahead(ids[0] ?? '')).toEqual({ moreUrgent: 1, samePriority: 0 });
    // As BullMQ leaves a task of a dead worker: ahead of all, until it is back at its priority, which is the new one.
    const { redis, keys, queues } = test.mill;
    await redis.zrem(keys.bull('text', 'prioritized'), last);
    await redis.rpush(keys.bull('text', 'wait'), last);
    await waitListDuty(queues.values()).run();
    expect(await redis.zrange(keys.bull('text', 'prioritized'), '0', '0')).toEqual([last]);
    await startTextWorker();
    const views = await Promise.all(ids.map((id) => read(id, '?wait=30')));
    expect(views.map(({ state }) => state)).toEqual(ids.map(() => 'succeeded'));
    await expectProblem(await test.post(`/v1/tasks/${last}/priority`, { priority: 5 }), 409, 'TASK_NOT_WAITING');
    await expectProblem(await test.post(`/v1/tasks/${last}/priority`, { priority: 0 }), 422, 'INVALID_REQUEST');
  });
});

import { explain, type TaskFacts } from '@millrace/client/explain';
import { viewOf } from '@millrace/client/view';
import type { StoredOutcome } from '@millrace/shared/redis/results';
import type { TaskRecord } from '@millrace/shared/redis/task-record';
import type { Explanation } from '@millrace/shared/tasks/explanation';
import { FlowProducer } from 'bullmq';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { beatOf } from './beat.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

const now = Date.parse('2030-01-01T00:00:00.000Z');
const ref = { family: 'inference', jobId: 'x' } as const;
const id = 'inference.x';

const record: TaskRecord = {
  place: 'waiting',
  name: 'inference.embed',
  opts: { attempts: 3 },
  createdAt: now - 5000,
  dueAt: undefined,
  processedAt: undefined,
  finishedAt: undefined,
  attemptsMade: 0,
  attemptsStarted: 0,
  failedReason: undefined,
  progress: undefined,
  worker: undefined,
  orphaned: false,
  priority: 100,
  stalls: 0,
  parentKey: undefined,
  schedule: undefined,
  data: undefined,
};
const model = 'all-MiniLM-L6-v2';
const worker = beatOf({
  id: 'mill-1-aa',
  host: 'mill',
  models: [{ name: model, fingerprint: 'f', warm: true, pinned: true }],
});
const running: Partial<TaskRecord> = {
  place: 'active',
  worker: 'mill-1-aa',
  processedAt: now - 3000,
  attemptsStarted: 1,
  progress: { done: 4, total: 9 },
};
const held = { id, type: 'inference.embed', attempt: 1, since: new Date(now - 3000).toISOString() };
const outcome: StoredOutcome = {
  worker: 'mill-1-aa',
  attempt: 1,
  tags: [],
  pulledAt: now - 4000,
  firstCallAt: now - 3900,
  lastCallEndedAt: now - 1900,
  batch: { id: 'c', size: 12 },
  calls: 2,
  status: 'succeeded',
  output: {},
  vectorsField: null,
};

interface Case extends Partial<Omit<TaskFacts, 'record' | 'view'>> {
  readonly record?: Partial<TaskRecord>;
  readonly outcome?: StoredOutcome;
}

function summary({ record: changes, outcome: ended, ...facts }: Case): string {
  const all = { ...record, ...changes };
  const place = { ahead: { moreUrgent: 0, samePriority: 0 }, paused: false, running: 7 };
  const defaults = { family: 'inference', place, workers: [worker], model, waitsFor: [], now } as const;
  return explain({ ...defaults, record: all, view: viewOf(ref, all, ended), ...facts }).summary;
}

describe('An explanation', () => {
  it.each<[string, Case, RegExp]>([
    [
      'how much is ahead of it',
      { place: { ahead: { moreUrgent: 12, samePriority: 3 }, paused: false, running: 64 } },
      /^It waits at priority 100: 12 tasks of a more urgent priority and 3 of its own are ahead of it; workers hold 64\.$/,
    ],
    [
      'that its family is paused',
      { place: { ahead: undefined, paused: true, running: 0 } },
      /paused.*\/v1\/queues\/inference\/resume/,
    ],
    ['that no worker lives', { workers: [] }, /No worker of the family inference lives: start one\.$/],
    [
      'that no worker knows its type',
      { workers: [beatOf({ types: [] })] },
      /None of the 1 living workers of the family knows the type inference\.embed/,
    ],
    ['that no worker has its model', { model: 'bge-small' }, /has the model bge-small\.$/],
    [
      'until when it is delayed',
      { record: { place: 'delayed', dueAt: now + 90_000 } },
      /^It is not due before 2030-01-01T00:01:30\.000Z \(in 90 s\)\.$/,
    ],
    [
      'which schedule it is of',
      { record: { place: 'delayed', dueAt: now + 7_300_000, schedule: 'nightly' } },
      /run of the schedule nightly, not due before .* \(in 2 h\)/,
    ],
    [
      'that a worker put it back',
      { record: { place: 'delayed', dueAt: now + 5000, attemptsStarted: 1 } },
      /^A worker put it back, for it lacks the type or the model/,
    ],
    [
      'until when it backs off, after which error',
      { record: { place: 'delayed', dueAt: now + 2000, attemptsMade: 1, failedReason: 'TASK_TIMEOUT: too long' } },
      /^Attempt 1 of 3 failed: TASK_TIMEOUT: too long\. The next begins after 2030-01-01T00:00:02\.000Z \(in 2 s\)\.$/,
    ],
    [
      'which parts it waits for',
      {
        record: { place: 'waiting-children' },
        waitsFor: [
          { id: 'i-1', state: 'running' },
          { id: 'i-2', state: null },
        ],
      },
      /^It waits for the tasks that it is made of: i-1 \(running\), i-2\.$/,
    ],
    [
      'that its worker is dead',
      { record: { ...running, orphaned: true, stalls: 1 } },
      /mill-1-aa does not answer.*It came back once from a worker/,
    ],
    [
      'that it is on its way back',
      { place: { ahead: undefined, paused: false, running: 0 } },
      /^It is on its way back to its priority/,
    ],
    [
      'who has it, and that it waits there for a call',
      { record: running, workers: [{ ...worker, running: [{ ...held, batch: null }] }] },
      /^Worker mill-1-aa on mill has it since 2029-12-31T23:59:57\.000Z \(3 s\), attempt 1 of 3\. It waits there for a call that it fits in\. 4 of 9 items are done\.$/,
    ],
    [
      'who has it, while the worker has not told of it',
      { record: running },
      /^Worker mill-1-aa on mill has it since 2029-12-31T23:59:57\.000Z \(3 s\), attempt 1 of 3\. 4 of 9 items are done\.$/,
    ],
    [
      'which call computes it, and how often it came back',
      {
        record: { ...running, stalls: 2 },
        workers: [{ ...worker, running: [{ ...held, batch: 'call-7' }] }],
      },
      /Call call-7 computes it\..*It came back 2 times from a worker that died or froze\.$/,
    ],
    [
      'where its time went',
      { record: { ...running, place: 'completed', finishedAt: now - 1890, attemptsMade: 1 }, outcome },
      /^It succeeded on worker mill-1-aa in attempt 1 of 3, the last call with 12 items\. It waited 1 s, was batched 100 ms, computed 2 s, was stored 10 ms\.$/,
    ],
    [
      'why it failed, and what to do',
      { record: { ...running, place: 'failed', attemptsMade: 3, failedReason: 'POISONED: item 4 kills' } },
      /^It failed for good in attempt 3 of 3\. POISONED: item 4 kills What to do: Look at the input/,
    ],
    [
      'that it was cancelled',
      { record: { place: 'failed', failedReason: 'CANCELLED: by hand' } },
      /^It was cancelled\. CANCELLED: by hand/,
    ],
    [
      'that it expired',
      { record: { place: 'failed', failedReason: 'EXPIRED: too late' } },
      /^It expired.*EXPIRED: too late/,
    ],
  ])('says %s', (_name, facts, words) => {
    expect(summary(facts)).toMatch(words);
  });
});

describe('GET /v1/tasks/{id}/explain', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await openTestApi(inject('redisUrl'));
  });
  afterAll(async () => {
    await test.api.close();
  });

  const explanation = async (task: string) =>
    (await (await test.get(`/v1/tasks/${task}/explain`)).json()) as Explanation;
  const enqueue = async (options: Record<string, unknown>) =>
    ((await (await test.post('/v1/tasks', embedTask(['a'], options))).json()) as { id: string }).id;

  it('counts what is ahead, by priority, and who could do it', async () => {
    const ids = [];
    for (const priority of ['normal', 'high', 'normal', 'low']) ids.push(await enqueue({ priority }));
    await test.mill.workers.beat(beatOf({ id: 'mill-1-aa' }), {});
    const found = await Promise.all(ids.map(explanation));
    expect(found.map(({ ahead }) => ahead)).toEqual([
      { moreUrgent: 1, samePriority: 0 },
      { moreUrgent: 0, samePriority: 0 },
      { moreUrgent: 1, samePriority: 1 },
      { moreUrgent: 3, samePriority: 0 },
    ]);
    expect(found[0]).toMatchObject({
      state: 'queued',
      model,
      workers: { family: 1, ofType: 1, withModel: 0 },
      holder: null,
    });
  });

  it('names the parts that a task waits for', async () => {
    const flow = new FlowProducer({ connection: { url: test.redisUrl }, prefix: test.prefix });
    const data = { v: 1, input: { texts: ['a'] } };
    const child = { name: 'inference.embed', queueName: 'inference', data, opts: { delay: 3_600_000 } };
    const { job, children } = await flow.add({ name: 'text.clean', queueName: 'text', data, children: [child] });
    const { state, waitsFor, summary: words } = await explanation(`text.${job.id}`);
    const part = `inference.${children?.[0]?.job.id}`;
    expect({ state, waitsFor }).toEqual({ state: 'queued', waitsFor: [{ id: part, state: 'scheduled' }] });
    expect(words).toContain(`${part} (scheduled)`);
    await flow.close();
  });

  it('knows no task that is not there', async () => {
    const response = await test.get('/v1/tasks/text.none/explain');
    expect(response.status).toBe(404);
    expect((await problemIn(response)).code).toBe('TASK_NOT_FOUND');
  });
});

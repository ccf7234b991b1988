import { randomUUID } from 'node:crypto';
import type { Millrace, MillraceOptions } from '@millrace/client';
import { MillraceError } from '@millrace/shared/errors';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import { endedStates, type TaskView } from '@millrace/shared/tasks/task';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cosine } from '../setup/mill.ts';

export interface ClientUnderTest {
  readonly name: string;
  /** A new client of one and the same mill. */
  readonly open: (options?: Pick<MillraceOptions, 'taskTypes'>) => Millrace;
}

const clean = (text: string) => ({ texts: [text], format: 'html' as const });
const hour = 3_600_000;

/** What every way to a mill has to do alike; the mill cleans texts and embeds them. */
export function describeClient({ name, open }: ClientUnderTest): void {
  describe(`A client by ${name}`, () => {
    let mill: Millrace;
    beforeAll(() => {
      mill = open();
    });
    afterAll(() => mill.close());

    /** Every task with a tag, page by page. */
    async function tagged(tag: string): Promise<TaskView[]> {
      const tasks: TaskView[] = [];
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await mill.list({ tag, limit: 7, ...(cursor === undefined ? {} : { cursor }) });
        tasks.push(...page.tasks);
        cursor = page.cursor;
      }
      return tasks;
    }

    describe('enqueues', () => {
      it('a task, and gives its output by its type', async () => {
        const task = await mill.enqueue('text.clean', clean('<b>a</b> &amp; c'), { priority: 'high', tags: ['x'] });
        expect(await task.result({ timeoutMs: Number.POSITIVE_INFINITY })).toEqual({ texts: ['a & c'] });
        const view = await task.read();
        expect(view).toMatchObject({ id: task.id, type: 'text.clean', state: 'succeeded', priority: 10, tags: ['x'] });
        expect(view.result).toBeUndefined();
        expect(await mill.task(task.id, 'text.clean').result()).toEqual({ texts: ['a & c'] });
        expect(await mill.result(task.id)).toEqual({ texts: ['a & c'] });
      });

      it('many, and gives their tasks in order', async () => {
        const texts = Array.from({ length: 1200 }, (_, index) => `<i>${index}</i>`);
        const tasks = await mill.enqueueMany('text.clean', texts.map(clean));
        const outputs = await Promise.all(tasks.map((task) => task.result()));
        expect(outputs.map((output) => output.texts[0])).toEqual(texts.map((_, index) => `${index}`));
        expect(await mill.enqueueMany('text.clean', [])).toEqual([]);
      });

      it('nothing that is wrong, and tells every problem', async () => {
        const wrong = mill.enqueue('inference.embed', { texts: [] }, { priority: 1.5, attempts: 0 });
        await expect(wrong).rejects.toBeInstanceOf(MillraceError);
        await expect(wrong).rejects.toMatchObject({
          code: 'INVALID_INPUT',
          retryable: false,
          problems: [{ path: 'priority' }, { path: 'attempts' }, { path: 'input.texts', remedy: expect.any(String) }],
        });
        const untyped = mill.enqueue('text.unknown' as 'text.clean', clean('a'));
        await expect(untyped).rejects.toMatchObject({ code: 'UNSUPPORTED_TASK_TYPE', problems: [{ path: 'type' }] });
        const large = mill.enqueue('inference.embed', { texts: new Array(300).fill('a') });
        await expect(large).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' });
        const oneOfMany = mill.enqueueMany('text.clean', [clean('a'), { ...clean('b'), format: 'pdf' as 'html' }]);
        await expect(oneOfMany).rejects.toMatchObject({ code: 'INVALID_INPUT', problems: [{ path: 'input.format' }] });
      });

      it('the same task once for the same key', async () => {
        const options = { delayMs: hour, idempotencyKey: randomUUID() };
        const enqueues = Array.from({ length: 10 }, () => mill.enqueue('text.clean', clean('a'), options));
        const ids = new Set((await Promise.all(enqueues)).map(({ id }) => id));
        expect(ids.size).toBe(1);
        const other = mill.enqueue('text.clean', clean('b'), options);
        await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
        const formless = mill.enqueue('text.clean', clean('a'), { idempotencyKey: 'a key\n' });
        await expect(formless).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
      });

      it('nothing once it is called off', async () => {
        const tag = randomUUID();
        const signal = AbortSignal.abort(new Error('called off'));
        const options = { delayMs: hour, tags: [tag], signal };
        await expect(mill.enqueue('text.clean', clean('a'), options)).rejects.toThrow('called off');
        await expect(mill.enqueueMany('text.clean', [clean('a'), clean('b')], options)).rejects.toThrow('called off');
        expect(await tagged(tag)).toEqual([]);
      });
    });

    describe('embeds', () => {
      it('any number of texts into vectors of float32, in order', async () => {
        const texts = Array.from({ length: 150 }, (_, index) => `text number ${index}`);
        const vectors = await mill.embed(texts);
        expect(vectors).toHaveLength(150);
        expect(vectors.every((vector) => vector instanceof Float32Array && vector.length === 384)).toBe(true);
        expect(await mill.embed([])).toEqual([]);
        const task = await mill.enqueue('inference.embed', { texts: texts.slice(70, 73) });
        const { embeddings, model, tokens, truncated, dimensions } = await task.result();
        for (const [index, vector] of embeddings.entries()) {
          expect(cosine(vector, vectors[70 + index] ?? [])).toBeGreaterThan(0.99999);
        }
        expect({ model, dimensions, truncated }).toEqual({
          model: bundledModel,
          dimensions: 384,
          truncated: [false, false, false],
        });
        expect(tokens).toHaveLength(3);
      });

      it('texts that come one by one', async () => {
        async function* texts() {
          for (const text of ['a', 'b', 'c']) yield text;
        }
        const vectors: Float32Array[] = [];
        for await (const vector of mill.embedEach(texts())) vectors.push(vector);
        expect(vectors).toEqual(await mill.embed(['a', 'b', 'c']));
      });

      it('and says which of all texts cannot be', async () => {
        const texts = Array.from({ length: 100 }, (_, index) => (index === 90 ? ' ' : `text ${index}`));
        await expect(mill.embed(texts)).rejects.toMatchObject({
          code: 'INVALID_INPUT',
          problems: [{ path: 'input.texts[90]' }],
          message: expect.stringContaining('input.texts[90]'),
        });
      });
    });

    describe('waits', () => {
      it('as long as it is told, and the task goes on', async () => {
        const task = await mill.enqueue('text.clean', clean('a'), { delayMs: hour });
        await expect(task.result({ timeoutMs: 20 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT', retryable: true });
        expect(await task.wait({ timeoutMs: 20 })).toMatchObject({ id: task.id, state: 'scheduled' });
      });

      it('until it is called off, also if that was before', async () => {
        const task = await mill.enqueue('text.clean', clean('a'), { delayMs: hour });
        const abort = new AbortController();
        const waits = [task.result({ signal: abort.signal }), task.wait({ signal: abort.signal })];
        abort.abort(new Error('no longer wanted'));
        const { signal } = abort;
        const calls = [...waits, task.result({ signal }), task.read({ signal }), task.cancel({ signal })];
        await allReject(calls, { message: 'no longer wanted' });
        expect(await task.read()).toMatchObject({ state: 'scheduled' });
      });

      it('for a task that ends otherwise, and tells why', async () => {
        const task = await mill.enqueue('text.clean', clean('a'), { delayMs: hour });
        const waits = Promise.all([
          expect(task.result()).rejects.toMatchObject({ code: 'CANCELLED' }),
          expect(task.wait()).resolves.toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } }),
        ]);
        await task.cancel();
        await waits;
        await expect(task.result()).rejects.toMatchObject({ code: 'CANCELLED' });
      });

      it.each(['t-00000000-0000-7000-8000-0000000f0000', 'no-id', '..', ''])('for no task %j', async (id) => {
        const calls = [mill.result(id), mill.wait(id), mill.get(id), mill.explain(id), mill.cancel(id), mill.retry(id)];
        await allReject([...calls, mill.follow(id).next()], { code: 'TASK_NOT_FOUND' });
      });
    });

    describe('follows a task', () => {
      it('from its present state to its end', async () => {
        const task = await mill.enqueue('text.clean', clean('a'), { delayMs: hour });
        const events = task.follow();
        expect((await events.next()).value).toMatchObject({ kind: 'state', state: 'scheduled' });
        await task.cancel();
        const rest = [];
        for await (const event of events) rest.push(event);
        expect(rest.at(-1)).toMatchObject({ kind: 'end', view: { id: task.id, state: 'cancelled' } });
        const kinds = [];
        for await (const { kind } of mill.follow(task.id)) kinds.push(kind);
        expect(kinds).toEqual(['state', 'end']);
      });

      it('until it is called off', async () => {
        const task = await mill.enqueue('text.clean', clean('a'), { delayMs: hour });
        const abort = new AbortController();
        const events = task.follow({ signal: abort.signal });
        await events.next();
        const next = events.next();
        abort.abort(new Error('seen enough'));
        await expect(next).rejects.toThrow('seen enough');
      });
    });

    describe('steers', () => {
      it('tasks: cancel, retry, priority, explain', async () => {
        const task = await mill.enqueue('text.clean', clean('<b>a'), { delayMs: hour });
        expect((await task.explain()).summary).not.toBe('');
        expect(await task.changePriority('critical')).toMatchObject({ id: task.id, priority: 1 });
        await expect(task.retry()).rejects.toMatchObject({ code: 'TASK_NOT_FAILED' });
        expect(await task.cancel()).toMatchObject({ state: 'cancelled' });
        await expect(task.cancel()).rejects.toMatchObject({ code: 'TASK_ENDED' });
        await expect(task.changePriority(5)).rejects.toMatchObject({ code: 'TASK_NOT_WAITING' });
        expect(await task.retry()).toMatchObject({ id: task.id });
        expect(await task.result()).toEqual({ texts: ['a'] });
        expect(await mill.retryAll({ type: 'text.clean' })).toEqual({ retried: 0, more: false });
      });

      it('families: pause and resume', async () => {
        await mill.pause('text');
        const task = await mill.enqueue('text.clean', clean('a'));
        const report = async () => (await mill.queues()).find(({ family }) => family === 'text');
        expect(await report()).toMatchObject({ paused: true });
        expect((await report())?.counts.queued).toBeGreaterThan(0);
        expect(await task.wait({ timeoutMs: 50 })).toMatchObject({ state: 'queued' });
        expect(await task.explain()).toMatchObject({ paused: true });
        await mill.resume('text');
        expect(await task.result()).toEqual({ texts: ['a'] });
      });

      it('schedules', async () => {
        const schedule = { everyMs: 24 * hour, task: { type: 'text.clean', input: clean('a'), tags: ['daily'] } };
        const made = await mill.putSchedule('nightly', schedule);
        expect(made).toMatchObject({ name: 'nightly', everyMs: 24 * hour, task: { type: 'text.clean' } });
        expect(await mill.schedule('nightly')).toMatchObject({ name: 'nightly', task: { input: clean('a') } });
        expect((await mill.schedules()).map((one) => one.name)).toEqual(['nightly']);
        await mill.deleteSchedule('nightly');
        const calls = [mill.schedule('nightly'), mill.deleteSchedule('nightly')];
        await allReject(calls, { code: 'SCHEDULE_NOT_FOUND' });
        const wrong = mill.putSchedule('nightly', { task: { type: 'text.clean', input: {} } });
        await expect(wrong).rejects.toMatchObject({ code: 'INVALID_REQUEST', problems: [{ path: 'cron' }, {}, {}] });
      });
    });

    describe('looks', () => {
      it('at tasks by tag, state and type, page by page, newest first', async () => {
        const tag = randomUUID();
        const inputs = Array.from({ length: 20 }, (_, index) => clean(`${index}`));
        const tasks = await mill.enqueueMany('text.clean', inputs, { tags: [tag], delayMs: hour });
        expect((await tagged(tag)).map(({ id }) => id).sort()).toEqual(tasks.map(({ id }) => id).sort());
        await tasks[3]?.cancel();
        const { tasks: cancelled, cursor } = await mill.list({ tag, state: 'cancelled', type: 'text.clean' });
        expect(cancelled).toMatchObject([{ id: tasks[3]?.id, state: 'cancelled', tags: [tag] }]);
        expect(cursor).toBeNull();
        const wrong = [{ limit: 0 }, { limit: 201 }, { state: 'lost' as 'failed' }];
        await allReject(
          wrong.map((wanted) => mill.list(wanted)),
          { code: 'INVALID_REQUEST' },
        );
      });

      it('at types, queues and workers', async () => {
        const types = await mill.taskTypes();
        expect(types.find(({ type }) => type === 'text.clean')).toMatchObject({
          family: 'text',
          limits: { items: 256 },
          input: { type: 'object' },
        });
        expect((await mill.queues()).map(({ family }) => family).sort()).toEqual(['inference', 'text', 'vector']);
        expect(Array.isArray(await mill.workers())).toBe(true);
      });

      it('after collections', async () => {
        const settings = { dimensions: 8, metric: 'cosine' as const };
        const made = await mill.createCollection('client-books', settings);
        expect(made).toMatchObject({ name: 'client-books', dimensions: 8, points: 0 });
        expect(await mill.createCollection('client-books', settings)).toEqual(made);
        const other = mill.createCollection('client-books', { ...settings, metric: 'dot' });
        await expect(other).rejects.toMatchObject({ code: 'COLLECTION_DIFFERS' });
        expect(await mill.collection('client-books')).toEqual(made);
        expect((await mill.collections()).map((one) => one.name)).toContain('client-books');
        await mill.dropCollection('client-books');
        const gone = [mill.collection('client-books'), mill.dropCollection('client-books')];
        await allReject(gone, { code: 'COLLECTION_NOT_FOUND' });
        const points = [{ id: 'p', vector: [1, 0, 0, 0, 0, 0, 0, 0] }];
        const late = mill.enqueue('vector.upsert', { collection: 'client-books', points });
        await expect(late).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
        await expect(mill.createCollection('..', settings)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
      });
    });

    describe('maps', () => {
      it('any iterable, in order; what is refused is an outcome', async () => {
        async function* inputs() {
          for (let index = 0; index < 500; index += 1) {
            yield index % 100 === 7 ? { ...clean('x'), format: 'pdf' as 'html' } : clean(`<b>${index}</b>`);
          }
        }
        const seen: number[] = [];
        for await (const outcome of mill.map('text.clean', inputs(), { inFlight: 32 })) {
          seen.push(outcome.index);
          if (outcome.index % 100 === 7) {
            expect(outcome).toMatchObject({ status: 'failed', id: undefined, error: { code: 'INVALID_INPUT' } });
          } else {
            const expected = { status: 'succeeded', output: { texts: [`${outcome.index}`] } };
            expect(outcome).toMatchObject({ ...expected, id: expect.any(String), input: { format: 'html' } });
          }
        }
        expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => index));
      });

      it('no more at once than it is told, and cancels all when it is called off', async () => {
        const tag = randomUUID();
        const abort = new AbortController();
        const source = endless();
        await mill.pause('text');
        const outcomes = mill.map('text.clean', source, { inFlight: 8, tags: [tag], signal: abort.signal });
        const first = outcomes.next();
        await expect.poll(async () => (await tagged(tag)).length).toBe(8);
        abort.abort(new Error('called off'));
        await expect(first).rejects.toThrow('called off');
        await mill.resume('text');
        expect((await tagged(tag)).map(({ state }) => state)).toEqual(new Array(8).fill('cancelled'));
        expect(await outcomes.next()).toEqual({ done: true, value: undefined });
        expect(await source.next()).toEqual({ done: true, value: undefined });
      });

      it('as far as its outcomes are taken, and cancels the rest', async () => {
        const tag = randomUUID();
        const source = endless();
        let taken = 0;
        for await (const { status } of mill.map('text.clean', source, { inFlight: 8, tags: [tag] })) {
          expect(status).toBe('succeeded');
          taken += 1;
          if (taken === 5) break;
        }
        const tasks = await tagged(tag);
        expect(tasks.length).toBeLessThanOrEqual(5 + 2 * 8);
        // A worker that has a task may take a moment to let go of it.
        const ended = async () => (await tagged(tag)).every(({ state }) => endedStates.includes(state));
        await expect.poll(ended).toBe(true);
        expect(await source.next()).toEqual({ done: true, value: undefined });
      });

      it('what comes before a source that breaks', async () => {
        function* broken() {
          yield clean('a');
          yield clean('b');
          throw new Error('the source ran dry');
        }
        const statuses: string[] = [];
        const run = async () => {
          for await (const { status } of mill.map('text.clean', broken())) statuses.push(status);
        };
        await expect(run()).rejects.toThrow('the source ran dry');
        expect(statuses).toEqual(['succeeded', 'succeeded']);
      });

      it('nothing of a type that is not there, and no faster than one at a time', async () => {
        const unknown = mill.map('text.unknown' as 'text.clean', [clean('a'), clean('b')]);
        await expect(unknown.next()).rejects.toMatchObject({ code: 'UNSUPPORTED_TASK_TYPE' });
        const none = mill.map('text.clean', [clean('a')], { inFlight: 0 });
        await expect(none.next()).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
      });
    });

    it('ends what waits when it is closed, and takes nothing after that', async () => {
      const own = open();
      const task = await own.enqueue('text.clean', clean('a'), { delayMs: hour });
      const waiting = expect(task.result()).rejects.toMatchObject({ code: 'CLOSED' });
      const followed = task.follow();
      await followed.next();
      const following = expect(followed.next()).rejects.toMatchObject({ code: 'CLOSED' });
      await own.close();
      await own.close();
      await Promise.all([waiting, following]);
      const calls = [own.get(task.id), own.enqueue('text.clean', clean('a')), own.embed(['a']), task.result()];
      await allReject(calls, { code: 'CLOSED' });
    });
  });
}

async function allReject(calls: readonly Promise<unknown>[], expected: object): Promise<void> {
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(expected)));
}

async function* endless() {
  for (let index = 0; ; index += 1) yield clean(`${index}`);
}

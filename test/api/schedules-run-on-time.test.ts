import type { ScheduleView } from '@millrace/shared/tasks/schedule';
import type { TaskView } from '@millrace/shared/tasks/task';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { startWorker, stopProcesses } from '../setup/processes.ts';
import { openTestApi, problemIn, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterEach(async () => {
  await stopProcesses();
});
afterAll(async () => {
  await test.api.close();
});

const clean = { type: 'text.clean', input: { texts: ['<b>a</b>'], format: 'html' } };
const nightly = { cron: '0 3 * * *', tz: 'Europe/Berlin', task: { ...clean, priority: 'low', tags: ['nightly'] } };

const put = (name: string, body: unknown) => test.send('PUT', `/v1/schedules/${name}`, body);
const remove = (name: string) => test.send('DELETE', `/v1/schedules/${name}`);
const schedule = async (response: Response) => (await response.json()) as ScheduleView;
const read = async (name: string) => await schedule(await test.get(`/v1/schedules/${name}`));
const task = async (id: string, query = '') => (await (await test.get(`/v1/tasks/${id}${query}`)).json()) as TaskView;

async function runsOf(tag: string): Promise<TaskView[]> {
  const page = (await (await test.get(`/v1/tasks?tag=${tag}`)).json()) as { tasks: TaskView[] };
  return page.tasks;
}

describe('A schedule', () => {
  it('is made, read, listed, changed and deleted', async () => {
    const made = await schedule(await put('nightly', nightly));
    expect(made).toMatchObject({
      name: 'nightly',
      family: 'text',
      cron: '0 3 * * *',
      everyMs: null,
      tz: 'Europe/Berlin',
      task: { type: 'text.clean', input: clean.input, priority: 1000, attempts: 3, tags: ['nightly'] },
    });
    expect(Date.parse(made.nextRunAt ?? '')).toBeGreaterThan(Date.now());
    const { schedules } = (await (await test.get('/v1/schedules')).json()) as { schedules: ScheduleView[] };
    expect(schedules.map(({ name, task: { input } }) => [name, input])).toEqual([['nightly', undefined]]);
    const changed = await schedule(await put('nightly', { ...nightly, cron: '0 4 * * *' }));
    expect(changed.nextTaskId).not.toBe(made.nextTaskId);
    expect((await test.get(`/v1/tasks/${made.nextTaskId}`)).status).toBe(404);
    expect(await (await remove('nightly')).json()).toEqual({ name: 'nightly', deleted: true });
    expect((await test.get(`/v1/tasks/${changed.nextTaskId}`)).status).toBe(404);
    for (const response of [await remove('nightly'), await test.get('/v1/schedules/nightly')]) {
      expect(response.status).toBe(404);
      expect((await problemIn(response)).code).toBe('SCHEDULE_NOT_FOUND');
    }
  });

  it('moves with its type to another family', async () => {
    await put('moving', nightly);
    const embed = { type: 'inference.embed', input: { texts: ['a'] } };
    expect(await schedule(await put('moving', { cron: '0 3 * * *', task: embed }))).toMatchObject({
      family: 'inference',
    });
    const { schedules } = (await (await test.get('/v1/schedules')).json()) as { schedules: ScheduleView[] };
    expect(schedules.map(({ family }) => family)).toEqual(['inference']);
    await remove('moving');
  });

  it('runs again and again on a worker, each run a task like any other', async () => {
    await put('busy', { everyMs: 1000, task: { ...clean, tags: ['busy'] } });
    await startWorker({ redisUrl: test.redisUrl, prefix: test.prefix, env: { FAMILIES: 'text' } });
    const succeeded = async () => (await runsOf('busy')).filter(({ state }) => state === 'succeeded');
    await expect.poll(async () => (await succeeded()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    const [last] = await succeeded();
    expect(last?.id).toMatch(/^text\.repeat:busy:\d+$/);
    expect(await (await test.get(`/v1/tasks/${last?.id}/result`)).json()).toEqual({ texts: ['a'] });
    const armed = (await runsOf('busy')).filter(({ state }) => state === 'scheduled' || state === 'queued');
    expect(armed.length).toBeLessThanOrEqual(1);
    await remove('busy');
  });

  it('leaves out a run that is cancelled, and goes on with the next', async () => {
    const first = await schedule(await put('skipping', { ...nightly, task: { ...clean, tags: ['skipping'] } }));
    const skipped = first.nextTaskId ?? '';
    expect(await task(skipped)).toMatchObject({ id: skipped, state: 'scheduled', tags: ['skipping'] });
    expect((await runsOf('skipping')).map(({ id }) => id)).toEqual([skipped]);
    const { summary } = (await (await test.get(`/v1/tasks/${skipped}/explain`)).json()) as { summary: string };
    expect(summary).toContain('It is a run of the schedule skipping, not due before');
    expect((await test.post(`/v1/tasks/${skipped}/cancel`, '')).status).toBe(200);
    expect((await task(skipped)).state).toBe('cancelled');
    const { nextTaskId, nextRunAt } = await read('skipping');
    expect(nextTaskId).not.toBe(skipped);
    expect(Date.parse(nextRunAt ?? '') - Date.parse(first.nextRunAt ?? '')).toBeGreaterThan(22 * 3600_000);
    expect((await task(nextTaskId ?? '')).state).toBe('scheduled');
    expect((await runsOf('skipping')).map(({ state }) => state).sort()).toEqual(['cancelled', 'scheduled']);
  });

  it('that is made anew steps over a run that was cancelled', async () => {
    const before = await read('skipping');
    await remove('skipping');
    const again = await put('skipping', { ...nightly, task: { ...clean, tags: ['skipping'] } });
    expect(again.status).toBe(200);
    expect(await schedule(again)).toMatchObject({ nextRunAt: before.nextRunAt });
    await remove('skipping');
  });
});

describe('A schedule that is not right is refused with every problem', () => {
  it.each([
    ['no time', { task: clean }, ['cron']],
    ['two times', { cron: '* * * * *', everyMs: 1000, task: clean }, ['cron']],
    ['no cron pattern', { cron: 'every day', task: clean }, ['cron']],
    ['a day that never comes', { cron: '0 0 30 2 *', task: clean }, ['cron']],
    ['no time zone', { cron: '* * * * *', tz: 'Mars/Olympus', task: clean }, ['tz']],
    ['a time zone that has no use', { everyMs: 1000, tz: 'UTC', task: clean }, ['tz']],
    ['too often', { everyMs: 10, task: clean }, ['everyMs']],
    ['unknown fields', { everyMs: 1000, task: clean, until: 1 }, ['until']],
    [
      'a delay of its own',
      { everyMs: 1000, task: { ...clean, delayMs: 5, expiresInMs: 5 } },
      ['task.delayMs', 'task.expiresInMs'],
    ],
    [
      'a wrong input',
      { everyMs: 1000, task: { ...clean, input: { texts: [] } } },
      ['task.input.format', 'task.input.texts'],
    ],
    [
      'everything',
      { everyMs: 1, task: { type: 'text.clean', input: {}, priority: 0 } },
      ['everyMs', 'task.input.format', 'task.input.texts', 'task.priority'],
    ],
    ['no task', { everyMs: 1000 }, ['task']],
  ])('for having %s', async (_name, wrong, paths) => {
    const response = await put('wrong', wrong);
    expect(response.status).toBe(422);
    expect((await problemIn(response)).problems?.map(({ path }) => path).sort()).toEqual(paths);
    expect((await test.get('/v1/schedules/wrong')).status).toBe(404);
  });

  it('for its name', async () => {
    const response = await put('a:b', { everyMs: 1000, task: clean });
    expect(response.status).toBe(422);
    expect((await problemIn(response)).problems?.[0]?.path).toBe('name');
  });
});

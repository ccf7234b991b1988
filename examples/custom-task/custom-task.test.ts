import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TaskView } from '@millrace/shared/tasks/task';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../../test/setup/mill.ts';
import { startApi, startWorker, stopProcesses } from '../../test/setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const folder = fileURLToPath(new URL('.', import.meta.url));
/** As a user writes it: from the folder that API and worker run in. */
const env = {
  FAMILIES: 'text',
  MILLRACE_PLUGINS: './examples/custom-task/reading-time.mjs, ./examples/custom-task/dist/common-words.js',
};
const type = 'text.reading-time';
let url: string;

beforeAll(async () => {
  const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  await promisify(execFile)(process.execPath, [compiler, '-p', folder]);
  url = (await startApi({ redisUrl, prefix, env })).url;
});
afterAll(stopProcesses);

async function post(path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

async function untilEnded(id: string): Promise<TaskView> {
  return (await (await fetch(`${url}/v1/tasks/${id}?wait=60`)).json()) as TaskView;
}

describe('A task type of one’s own', () => {
  it('is a module of less than 40 lines', () => {
    for (const file of ['reading-time.mjs', 'common-words.ts'])
      expect(readFileSync(`${folder}${file}`, 'utf8').trimEnd().split('\n').length).toBeLessThan(40);
  });

  it('is listed beside the built-in ones, with its schemas', async () => {
    const listed = (await (await fetch(`${url}/v1/task-types`)).json()) as { types: { type: string }[] };
    expect(listed.types.map((one) => one.type)).toEqual(
      expect.arrayContaining(['text.clean', type, 'text.common-words']),
    );
    expect(listed.types.find((one) => one.type === type)).toMatchObject({
      input: { required: ['texts', 'language'], additionalProperties: false },
      output: { properties: { readings: { type: 'array' } } },
    });
  });

  it('has every problem of its input told at once, and nothing is enqueued', async () => {
    const input = { texts: ['fine', 7], language: 'English', wordsPerMinute: 5, speed: 1 };
    const answer = await post('/v1/tasks', { type, input });
    expect(answer.status).toBe(422);
    expect(answer.body.code).toBe('INVALID_INPUT');
    expect(answer.body.problems.map(({ path }: { path: string }) => path).sort()).toEqual([
      'input.language',
      'input.speed',
      'input.texts[1]',
      'input.wordsPerMinute',
    ]);
  });
});

describe('Tasks of it', () => {
  it('are batched: those of one language share calls, and what fails fails alone', async () => {
    // All are there before the worker is, so that they can share.
    const tasks = Array.from({ length: 40 }, (_, index) => ({
      type,
      input: {
        texts: [`Text number ${index} has six words.`, index === 13 ? '... !' : 'Two words'],
        language: index % 2 === 0 ? 'en' : 'de',
      },
    }));
    const { body } = await post('/v1/tasks/bulk', { tasks });
    await startWorker({ redisUrl, prefix, env });
    const views = await Promise.all(body.items.map(({ id }: { id: string }) => untilEnded(id)));
    const failed = views.filter(({ state }) => state !== 'succeeded');
    expect(failed).toEqual([views[13]]);
    expect(views[13]).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { code: 'INVALID_INPUT', items: [{ index: 1, code: 'INVALID_INPUT' }] },
    });
    expect(views[0].result.readings.map(({ words }: { words: number }) => words)).toEqual([6, 2]);
    expect(views.some(({ batch }) => (batch?.size ?? 0) > 2)).toBe(true);
    const callOf = (view: TaskView) => view.batch?.id;
    const german = new Set(views.filter((_, index) => index % 2 === 1).map(callOf));
    const english = views.filter((_, index) => index % 2 === 0).map(callOf);
    expect(english.filter((call) => german.has(call))).toEqual([]);
  });

  it('know words where no spaces are', async () => {
    const input = { texts: ['水車は水が流れる限り回る。'], language: 'ja', wordsPerMinute: 60 };
    const { body } = await post('/v1/tasks?wait=30', { type, input });
    const [{ words, seconds }] = body.result.readings;
    expect(words).toBeGreaterThan(4);
    expect(seconds).toBe(words);
  });

  it('may be computed as a whole, by a type that is written in TypeScript', async () => {
    const input = { texts: ['The wheel turns.', 'The water turns the wheel.'], top: 2 };
    const { body } = await post('/v1/tasks?wait=30', { type: 'text.common-words', input });
    expect(body.result.words).toEqual([
      { word: 'the', count: 3 },
      { word: 'turns', count: 2 },
    ]);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Line, lineBatches, tooLong } from '../../apps/api/src/bulk/lines.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'), { BODY_LIMIT: 4 * 2 ** 20 });
});
afterEach(async () => {
  for (const queue of test.mill.queues.values()) await queue.obliterate({ force: true });
});
afterAll(async () => {
  await test.api.close();
});

interface Item {
  readonly index: number;
  readonly status: number;
  readonly id?: string;
  readonly error?: { readonly code: string };
}
interface Answer {
  readonly accepted: number;
  readonly refused: number;
  readonly items: readonly Item[];
}

const clean = { type: 'text.clean', input: { texts: ['a'], format: 'plain' } };
const ndjson = { 'content-type': 'application/x-ndjson' };
const answerOf = async (response: Response) => {
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
};
const waitingIn = async (family: 'text' | 'inference') => await test.mill.queues.get(family)?.getJobCountByTypes();

describe('Many tasks in one JSON document', () => {
  it('each get an id or an error, in order, and a bad one keeps no other out', async () => {
    const tasks = [embedTask(['a']), embedTask(['']), clean, { type: 'no.such' }, 7, embedTask(['b'])];
    const { accepted, refused, items } = await answerOf(await test.post('/v1/tasks/bulk', { tasks }));
    expect([accepted, refused]).toEqual([3, 3]);
    expect(items.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(items.map(({ status, error }) => error?.code ?? status)).toEqual([
      202,
      'INVALID_INPUT',
      202,
      'UNSUPPORTED_TASK_TYPE',
      'INVALID_INPUT',
      202,
    ]);
    expect(items.map(({ id }) => id?.slice(0, 2))).toEqual(['i-', undefined, 't-', undefined, undefined, 'i-']);
    expect([await waitingIn('inference'), await waitingIn('text')]).toEqual([2, 1]);
  });

  it('may be ten thousand', async () => {
    const { accepted, items } = await answerOf(await test.post('/v1/tasks/bulk', { tasks: Array(10_000).fill(clean) }));
    expect(accepted).toBe(10_000);
    expect(new Set(items.map(({ id }) => id)).size).toBe(10_000);
    expect(await waitingIn('text')).toBe(10_000);
  });

  it('may not be more, and then none is enqueued', async () => {
    const response = await test.post('/v1/tasks/bulk', { tasks: Array(10_001).fill(clean) });
    expect(response.status).toBe(422);
    expect((await problemIn(response)).code).toBe('TOO_MANY_ITEMS');
    expect(await waitingIn('text')).toBe(0);
  });

  it.each([[{}], [[]], [{ tasks: 'all' }], [{ tasks: [], more: 1 }]])('must be there: %j', async (body) => {
    const response = await test.post('/v1/tasks/bulk', body);
    expect(response.status).toBe(422);
    expect(await problemIn(response)).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('do not make an answer of gigabytes when all of them are bad', async () => {
    const tasks = Array(1000).fill(embedTask(Array(250).fill('')));
    const { items } = await answerOf(await test.post('/v1/tasks/bulk', { tasks }));
    expect(JSON.stringify(items).length).toBeLessThan(8 * 2 ** 20);
  });
});

describe('Many tasks as lines', () => {
  it('each get an id or an error; empty lines count for nothing, a broken one for itself', async () => {
    const lines = [
      JSON.stringify(clean),
      '',
      '{"type":',
      '  ',
      JSON.stringify(embedTask([''])),
      `${JSON.stringify(clean)}\r`,
    ];
    const { items } = await answerOf(await test.post('/v1/tasks/bulk', lines.join('\n'), ndjson));
    expect(items.map(({ status, error }) => error?.code ?? status)).toEqual([
      202,
      'INVALID_JSON',
      'INVALID_INPUT',
      202,
    ]);
    expect(await waitingIn('text')).toBe(2);
  });

  it('are enqueued as they arrive, before the body has ended', async () => {
    const body = new ReadableStream({
      start: async (controller) => {
        controller.enqueue(Buffer.from(`${JSON.stringify(clean)}\n${JSON.stringify(clean)}\n`));
        await expect.poll(() => waitingIn('text')).toBe(2);
        controller.enqueue(Buffer.from(JSON.stringify(clean)));
        controller.close();
      },
    });
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', headers: ndjson, body, duplex: 'half' };
    const { accepted } = await answerOf(await fetch(`${test.url}/v1/tasks/bulk`, init));
    expect(accepted).toBe(3);
  });

  it('may be ten thousand; those beyond are refused, and the client still gets its answer', async () => {
    const lines = `${JSON.stringify(clean)}\n`.repeat(40_000);
    const { accepted, refused, items } = await answerOf(await test.post('/v1/tasks/bulk', lines, ndjson));
    expect([accepted, refused]).toEqual([10_000, 1]);
    expect(items.at(-1)).toMatchObject({ index: 10_000, status: 422, error: { code: 'TOO_MANY_ITEMS' } });
    expect(await waitingIn('text')).toBe(10_000);
  });

  it('may each be as long as a body, and one that is longer is refused alone', async () => {
    const long = JSON.stringify({ ...clean, input: { texts: ['x'.repeat(5 * 2 ** 20)], format: 'plain' } });
    const fits = JSON.stringify({ ...clean, input: { texts: ['x'.repeat(3 * 2 ** 20)], format: 'plain' } });
    const { items } = await answerOf(await test.post('/v1/tasks/bulk', [fits, long, fits].join('\n'), ndjson));
    expect(items.map(({ status, error }) => error?.code ?? status)).toEqual([202, 'BODY_TOO_LARGE', 202]);
  });

  it('stay enqueued when the client breaks off', async () => {
    const abort = new AbortController();
    const body = new ReadableStream({
      start: async (controller) => {
        controller.enqueue(Buffer.from(`${JSON.stringify(clean)}\n`));
        await expect.poll(() => waitingIn('text')).toBe(1);
        abort.abort();
      },
    });
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      headers: ndjson,
      body,
      duplex: 'half',
      signal: abort.signal,
    };
    await expect(fetch(`${test.url}/v1/tasks/bulk`, init)).rejects.toThrow();
    expect((await test.get('/healthz')).status).toBe(200);
    expect(await waitingIn('text')).toBe(1);
  });
});

describe('A stream is cut into lines', () => {
  const cut = async (pieces: readonly string[], longest = 10) => {
    const lines: Line[] = [];
    const bytes = async function* () {
      for (const piece of pieces) {
        await sleep(0);
        yield Buffer.from(piece, 'latin1');
      }
    };
    for await (const batch of lineBatches(bytes(), longest)) lines.push(...batch);
    return lines;
  };

  it('wherever its pieces break', async () => {
    expect(await cut(['a\nb', 'c\n', '\n', 'd'])).toEqual(['a', 'bc', '', 'd']);
    expect(await cut(['a\r', '\nb\r\n'])).toEqual(['a', 'b']);
    expect(await cut([])).toEqual([]);
    // é in two pieces
    expect(await cut(['\xc3', '\xa9\n'])).toEqual(['é']);
  });

  it('of which one that is too long keeps its place, and loses its text', async () => {
    expect(await cut(['aaaaa', 'aaaaaa', 'aaaa\nb\n', 'c'.repeat(11), '\n'])).toEqual([tooLong, 'b', tooLong]);
    expect(await cut(['a'.repeat(10)])).toEqual(['a'.repeat(10)]);
  });
});

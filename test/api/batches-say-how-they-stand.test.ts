import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import type OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { batchSchema } from '../../apps/api/src/runs/batch-view.ts';
import {
  answersIn,
  contentOf,
  createBatch,
  embedLine,
  type MillBatch,
  model,
  openAiOf,
  readBatch,
  soon,
  taskLine,
  untilBatch,
  untilEnded,
  uploadLines,
} from '../setup/run-files.ts';
import { mountSmallDisk } from '../setup/small-disk.ts';
import { openTestApi, type TestApi } from './open-test-api.ts';
import { openStandInWorker, vectorOf } from './stand-in-worker.ts';

const redisUrl = inject('redisUrl');

interface Opened {
  readonly test: TestApi;
  readonly client: OpenAI;
  /** Jobs that the worker has begun. */
  readonly begun: string[];
  /** Lets so many jobs end; all from now on by default. */
  letEnd(count?: number): void;
  close(): Promise<void>;
}

/** An API with a worker that ends nothing before it is let. */
async function open(config: Parameters<typeof openTestApi>[1] = {}, { held = false } = {}): Promise<Opened> {
  const test = await openTestApi(redisUrl, config);
  const begun: string[] = [];
  const waiting: (() => void)[] = [];
  let free = held ? 0 : Number.POSITIVE_INFINITY;
  const until = (job: { id?: string | undefined }) => {
    begun.push(job.id ?? '');
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise<void>((resolve) => waiting.push(resolve));
  };
  const worker = openStandInWorker({ ...test, until });
  const letEnd = (count = Number.POSITIVE_INFINITY) => {
    for (const end of waiting.splice(0, count)) end();
    if (count === Number.POSITIVE_INFINITY) free = count;
  };
  return {
    test,
    client: openAiOf(test.url),
    begun,
    letEnd,
    close: async () => {
      letEnd();
      await worker.close();
      await test.api.close();
    },
  };
}

const upper = (customId: string, text: string) =>
  taskLine(customId, { type: 'text.clean', input: { texts: [text], format: 'plain' } });

async function tasksIn({ test }: Opened): Promise<{ id: string; state: string; priority: number; tags: string[] }[]> {
  return (await (await test.get('/v1/tasks?limit=200')).json()).tasks;
}

describe('A batch', () => {
  let mill: Opened;
  beforeAll(async () => {
    mill = await open();
  });
  afterAll(() => mill.close());

  it('answers each line as the endpoint itself would, in order', async () => {
    const { client } = mill;
    const lines = [
      embedLine('one', 'a'),
      embedLine('many', ['bb', 'ccc']),
      embedLine('base64', 'dddd', { encoding_format: 'base64' }),
    ];
    const created = await createBatch(client, await uploadLines(client, lines), { metadata: { note: 'x' } });
    expect(created).toMatchObject({ object: 'batch', status: 'validating', endpoint: '/v1/embeddings', errors: null });
    expect(created).toMatchObject({ metadata: { note: 'x' }, completion_window: '24h', output_file_id: null });
    expect(created.expires_at).toBe(created.created_at + 86_400);
    const batch = await untilEnded(client, created.id);
    expect(batchSchema.parse(JSON.parse(JSON.stringify(batch)))).toEqual(batch);
    expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 3, completed: 3, failed: 0 } });
    expect(batch).toMatchObject({
      error_file_id: null,
      usage: { input_tokens: 12, total_tokens: 12, output_tokens: 0 },
    });
    const answers = await answersIn(client, batch.output_file_id);
    expect(answers.map(({ custom_id }) => custom_id)).toEqual(['one', 'many', 'base64']);
    for (const { id, response, error } of answers) {
      expect([id.slice(0, 10), response?.status_code, error]).toEqual(['batch_req_', 200, null]);
    }
    const direct = await client.embeddings.create({ model, input: ['bb', 'ccc'], encoding_format: 'float' });
    expect(answers[1]?.response?.body).toEqual(direct);
    const base64 = await client.embeddings.create({ model, input: 'dddd', encoding_format: 'base64' });
    expect(answers[2]?.response?.body).toEqual(base64);
    expect(await client.files.retrieve(batch.output_file_id ?? '')).toMatchObject({
      purpose: 'batch_output',
      filename: `${batch.id}_output.jsonl`,
    });
  });

  it('runs tasks of any type, each with its own result or error', async () => {
    const { client } = mill;
    const lines = [
      upper('a', 'first'),
      taskLine('b', { type: 'inference.embed', input: { texts: ['bb'] }, tags: ['own'] }),
      taskLine('c', { type: 'text.clean', input: { texts: ['fail'], format: 'plain' } }),
      taskLine('d', { type: 'no.such', input: {} }),
      taskLine('e', { input: {} }),
      taskLine('f', { type: 'text.clean', input: { texts: 'no list', format: 'plain' }, priority: 'fast' }),
      upper('g', 'last'),
    ];
    const { id } = await createBatch(client, await uploadLines(client, lines), { endpoint: '/v1/tasks' });
    const batch = await untilEnded(client, id);
    expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 7, completed: 3, failed: 4 } });
    const answers = await answersIn(client, batch.output_file_id);
    expect(answers.map(({ custom_id, response }) => [custom_id, response?.body.texts?.[0]])).toEqual([
      ['a', 'FIRST'],
      ['b', undefined],
      ['g', 'LAST'],
    ]);
    expect(answers[1]?.response?.body.embeddings[0][0]).toBeCloseTo(vectorOf('bb')[0] ?? 0, 6);
    const failures = await answersIn(client, batch.error_file_id);
    expect(
      failures.map(({ custom_id, response }) => [custom_id, response?.status_code, response?.body.error.code]),
    ).toEqual([
      ['c', 500, 'processor_failed'],
      ['d', 400, 'unsupported_task_type'],
      ['e', 400, 'invalid_input'],
      ['f', 400, 'invalid_input'],
    ]);
    expect(failures[3]?.response?.body.error).toMatchObject({ type: 'invalid_request_error', param: 'priority' });
  });

  it('fails a bad line alone, whatever stands beside it', async () => {
    const { client } = mill;
    const bad: Record<number, [unknown, Record<string, unknown>, string]> = {
      3: [[1, 2], {}, 'invalid_request'],
      10: ['fail', {}, 'processor_failed'],
      11: [['x', 'fail'], {}, 'processor_failed'],
      20: ['x', { dimensions: 5 }, 'invalid_request'],
      30: ['x', { model: '../up' }, 'invalid_request'],
      99: ['', {}, 'invalid_request'],
    };
    const lines = Array.from({ length: 100 }, (_, index) => {
      const [input, more] = bad[index] ?? ['x'.repeat(index), {}];
      return embedLine(`l-${index}`, input, more);
    });
    lines[0] = embedLine('l-0', 'x');
    const { id } = await createBatch(client, await uploadLines(client, lines));
    const batch = await untilEnded(client, id);
    expect(batch.request_counts).toEqual({ total: 100, completed: 94, failed: 6 });
    const answers = await answersIn(client, batch.output_file_id);
    const good = lines.map((_, index) => index).filter((index) => bad[index] === undefined);
    expect(answers.map(({ custom_id }) => custom_id)).toEqual(good.map((index) => `l-${index}`));
    const failures = await answersIn(client, batch.error_file_id);
    expect(failures.map(({ custom_id, response }) => [custom_id, response?.body.error.code])).toEqual(
      Object.entries(bad).map(([index, [, , code]]) => [`l-${index}`, code]),
    );
  });

  it('gives the same bytes for the same file, and leaves neither tasks nor results behind', async () => {
    const { client, test } = mill;
    const fileId = await uploadLines(client, [embedLine('a', 'a'), embedLine('b', 'fail'), embedLine('c', 'c')]);
    const again = await uploadLines(client, [embedLine('a', 'a'), embedLine('b', 'fail'), embedLine('c', 'c')]);
    const batches: MillBatch[] = [];
    for (const id of [fileId, again]) batches.push(await untilEnded(client, (await createBatch(client, id)).id));
    const [first, second] = batches;
    for (const key of ['output_file_id', 'error_file_id'] as const) {
      expect((await contentOf(client, first?.[key])).equals(await contentOf(client, second?.[key]))).toBe(true);
    }
    const ofRuns = async () => (await tasksIn(mill)).filter(({ tags }) => tags.some((tag) => tag.startsWith('batch_')));
    await soon(ofRuns).toEqual([]);
    await soon(() => test.mill.redis.keys(`${test.prefix}:result:inference:i-????????-????-8*`)).toEqual([]);
    const kept = [fileId, again, ...batches.flatMap((batch) => [batch.output_file_id, batch.error_file_id])];
    expect(readdirSync(test.filesDir)).toEqual(expect.arrayContaining(kept));
    expect(readdirSync(test.filesDir).filter((name) => !name.startsWith('file-'))).toEqual([]);
  });

  it('takes lines with CRLF, a byte order mark, blank lines between, and no line break at the end', async () => {
    const { client } = mill;
    const text = `\uFEFF${embedLine('a', 'a')}\r\n\r\n  \n${embedLine('b', 'ü')}\r\n${embedLine('c', 'c')}`;
    const file = await client.files.create({ purpose: 'batch', file: new File([text], 'f') });
    const batch = await untilEnded(client, (await createBatch(client, file.id)).id);
    expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 3, completed: 3, failed: 0 } });
  });

  it('is listed, newest first', async () => {
    const { client } = mill;
    const all: string[] = [];
    for await (const { id } of client.batches.list({ limit: 2 })) all.push(id);
    expect(all.length).toBeGreaterThan(4);
    const times = await Promise.all(all.map(async (id) => (await readBatch(client, id)).created_at));
    expect(times).toEqual([...times].sort((a, b) => b - a));
    await expect(client.batches.retrieve('batch_none')).rejects.toMatchObject({ status: 404, code: 'run_not_found' });
    await expect(client.batches.list({ after: 'batch_none' })).rejects.toMatchObject({ status: 404 });
  });

  it.each([
    ['a file that is not there', { input_file_id: 'file-none' }, 404, 'file_not_found', null],
    ['an endpoint that is none', { endpoint: '/v1/chat/completions' }, 400, 'invalid_request', 'endpoint'],
    ['a priority that is none', { metadata: { priority: 'soon' } }, 400, 'invalid_request', 'metadata.priority'],
    ['a value that is too long', { metadata: { a: 'x'.repeat(513) } }, 400, 'invalid_request', 'metadata.a'],
    ['no window', { completion_window: '' }, 400, 'invalid_request', 'completion_window'],
    ['a field that is none', { speed: 1 }, 400, 'invalid_request', 'speed'],
  ])('is refused with %s', async (_what, change, status, code, param) => {
    const { client, test } = mill;
    const fileId = await uploadLines(client, [embedLine('a', 'a')]);
    const body = { input_file_id: fileId, endpoint: '/v1/embeddings', completion_window: '24h', ...change };
    const response = await test.post('/v1/batches', body);
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code, param } }]);
    await client.files.delete(fileId);
  });

  it('is refused over a file that was uploaded for something else', async () => {
    const { client } = mill;
    const { id } = await client.files.create({ purpose: 'user_data', file: new File(['x'], 'f') });
    await expect(createBatch(client, id)).rejects.toMatchObject({ status: 400, param: 'input_file_id' });
  });
});

describe('A batch over a file that is not right', () => {
  let mill: Opened;
  beforeAll(async () => {
    mill = await open({ RUN_LINES: 200, BODY_LIMIT: 10_000 });
  });
  afterAll(() => mill.close());

  const fine = embedLine('fine', 'a');
  const with_ = (change: Record<string, unknown>) => JSON.stringify({ ...JSON.parse(embedLine('x', 'a')), ...change });

  it.each<[string, (string | Buffer)[], [string, number | null, string | null][]]>([
    ['no lines', [], [['empty_file', null, null]]],
    ['only blank lines', ['', '  '], [['empty_file', null, null]]],
    ['a line that is not JSON', [fine, '{"custom_id"', fine.replace('fine', 'g')], [['invalid_json_line', 2, null]]],
    ['a line that is not UTF-8', [fine, Buffer.from([0x22, 0xff, 0x22])], [['invalid_json_line', 2, null]]],
    ['a line that is too long', [fine, embedLine('b', 'x'.repeat(10_000))], [['line_too_long', 2, null]]],
    ['a line without a custom_id', [with_({ custom_id: undefined })], [['missing_required_parameter', 1, 'custom_id']]],
    ['an empty custom_id', [with_({ custom_id: '' })], [['invalid_request', 1, 'custom_id']]],
    ['the same custom_id twice', [fine, with_({}), fine], [['duplicate_custom_id', 3, 'custom_id']]],
    ['another method', [with_({ method: 'GET' })], [['invalid_request', 1, 'method']]],
    ['another URL', [with_({ url: '/v1/tasks' })], [['mismatched_url', 1, 'url']]],
    ['no body', [with_({ body: undefined })], [['missing_required_parameter', 1, 'body']]],
    ['a field that is none', [with_({ color: 1 })], [['invalid_request', 1, 'color']]],
    ['a list', ['[]'], [['invalid_request', 1, null]]],
    [
      'too many lines',
      Array.from({ length: 201 }, (_, index) => embedLine(`${index}`, 'a')),
      [['too_many_lines', null, null]],
    ],
    [
      'several faults',
      ['x', fine, with_({ url: '/' }), '{}'],
      [
        ['invalid_json_line', 1, null],
        ['mismatched_url', 3, 'url'],
        ['missing_required_parameter', 4, 'custom_id'],
      ],
    ],
  ])('fails with %s, and says where; nothing is computed', async (_what, lines, expected) => {
    const { client, begun } = mill;
    const bytes = Buffer.concat(lines.map((line) => Buffer.concat([Buffer.from(line), Buffer.from('\n')])));
    const file = await client.files.create({ purpose: 'batch', file: new File([bytes], 'f') });
    const batch = await untilEnded(client, (await createBatch(client, file.id)).id);
    expect(batch).toMatchObject({ status: 'failed', output_file_id: null, error_file_id: null, in_progress_at: null });
    expect(batch.failed_at).toBeGreaterThanOrEqual(batch.created_at);
    expect(batch.errors?.data?.map(({ code, line, param }) => [code, line, param])).toEqual(expected);
    for (const { message } of batch.errors?.data ?? []) expect(message).not.toBe('');
    expect(begun).toEqual([]);
    // The run has let its file go.
    await client.files.delete(file.id);
  });

  it('tells no more than a hundred faults', async () => {
    const { client } = mill;
    const fileId = await uploadLines(
      client,
      Array.from({ length: 150 }, () => 'x'),
    );
    const batch = await untilEnded(client, (await createBatch(client, fileId)).id);
    expect(batch.errors?.data).toHaveLength(100);
  });

  it('fails when its input has gone from the store', async () => {
    const { client, test } = mill;
    const fileId = await uploadLines(client, [fine]);
    rmSync(path.join(test.filesDir, fileId));
    const batch = await untilEnded(client, (await createBatch(client, fileId)).id);
    expect(batch).toMatchObject({ status: 'failed', errors: { data: [{ code: 'file_not_found', line: null }] } });
  });
});

describe('A batch that is under way', () => {
  const lines = Array.from({ length: 60 }, (_, index) => upper(`l-${index}`, `text ${index}`));

  it('has no more in the queue than its window, at low priority, with its name', async () => {
    const mill = await open({ RUN_WINDOW: 12 }, { held: true });
    const { client, begun, letEnd } = mill;
    const { id } = await createBatch(client, await uploadLines(client, lines), { endpoint: '/v1/tasks' });
    await soon(() => begun.length).toBe(12);
    const tasks = await tasksIn(mill);
    expect(tasks).toHaveLength(12);
    for (const { priority, tags } of tasks) expect([priority, tags]).toEqual([1000, [id]]);
    letEnd(5);
    // Room comes with what is safely stored, in order; nothing is counted before.
    await soon(() => begun.length).toBe(17);
    const batch = await readBatch(client, id);
    expect(batch).toMatchObject({ status: 'in_progress', request_counts: { total: 60, completed: 5, failed: 0 } });
    await mill.close();
  });

  it('takes the priority that it is given', async () => {
    const mill = await open({}, { held: true });
    const { client } = mill;
    const options = { endpoint: '/v1/tasks', metadata: { priority: 'high' } } as const;
    await createBatch(client, await uploadLines(client, lines.slice(0, 1)), options);
    await soon(async () => (await tasksIn(mill)).map(({ priority }) => priority)).toEqual([10]);
    await mill.close();
  });

  it('waits while the queue is full, and then goes on', async () => {
    const mill = await open({ MAX_WAITING: 3 });
    const { client } = mill;
    const { id } = await createBatch(client, await uploadLines(client, lines), { endpoint: '/v1/tasks' });
    const batch = await untilEnded(client, id);
    expect(batch.request_counts).toEqual({ total: 60, completed: 60, failed: 0 });
    const answers = await answersIn(client, batch.output_file_id);
    expect(answers.map(({ custom_id }) => custom_id)).toEqual(lines.map((_, index) => `l-${index}`));
    await mill.close();
  });

  it('computes again what was lost before it was read, and reads what was not', async () => {
    const mill = await open({ RUN_WINDOW: 12 }, { held: true });
    const { client, begun, letEnd, test } = mill;
    const { id } = await createBatch(client, await uploadLines(client, lines.slice(0, 12)), { endpoint: '/v1/tasks' });
    await soon(() => begun.length).toBe(12);
    await test.api.close();
    letEnd();
    const { MILLRACE_PREFIX, FILES_DIR } = { MILLRACE_PREFIX: test.prefix, FILES_DIR: test.filesDir };
    const redis = connectRedis({ url: redisUrl, role: 'producer', name: 'test', log: silentLogger() });
    await soon(() => redis.zcard(test.keys.bull('text', 'completed'))).toBe(12);
    const ref = { family: 'text', jobId: begun[4] ?? '' } as const;
    expect(await redis.del(test.keys.result(ref, 1))).toBe(1);
    redis.disconnect();
    const next = await openTestApi(redisUrl, { MILLRACE_PREFIX, FILES_DIR });
    const batch = await untilEnded(openAiOf(next.url), id);
    expect(batch.request_counts).toEqual({ total: 12, completed: 12, failed: 0 });
    // One more than there are lines.
    expect(new Set(begun).size).toBe(13);
    await next.api.close();
    await mill.close();
  });

  it('fails with what it has after the same fault again and again', async () => {
    const first = await openTestApi(redisUrl);
    const client = openAiOf(first.url);
    const input = await uploadLines(client, lines);
    const { id } = await createBatch(client, input, { endpoint: '/v1/tasks' });
    await untilBatch(client, id, ({ status }) => status === 'in_progress');
    await first.api.close();
    // Somebody who may not has changed the file since.
    const file = path.join(first.filesDir, input);
    const text = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, text.with(40, 'x'.repeat(text[40]?.length ?? 0)).join('\n'));
    const mill = await open({ MILLRACE_PREFIX: first.prefix, FILES_DIR: first.filesDir });
    const batch = await untilEnded(mill.client, id);
    expect(batch).toMatchObject({ status: 'failed', request_counts: { total: 60, completed: 40, failed: 0 } });
    expect(batch.errors?.data).toEqual([
      { code: 'internal', message: expect.stringContaining('line 41 of'), line: null, param: null },
    ]);
    const answers = await answersIn(mill.client, batch.output_file_id);
    expect(answers.map(({ custom_id }) => custom_id)).toEqual(lines.slice(0, 40).map((_, index) => `l-${index}`));
    await mill.close();
  });

  it('fails a line whose task somebody cancels', async () => {
    const test = await openTestApi(redisUrl);
    const client = openAiOf(test.url);
    const { id } = await createBatch(client, await uploadLines(client, lines.slice(0, 1)), { endpoint: '/v1/tasks' });
    const ids = async () => (await (await test.get('/v1/tasks')).json()).tasks.map((task: { id: string }) => task.id);
    await soon(async () => (await ids()).length).toBe(1);
    await test.post(`/v1/tasks/${(await ids())[0]}/cancel`, '');
    const batch = await untilEnded(client, id);
    expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 1, completed: 0, failed: 1 } });
    const [answer] = await answersIn(client, batch.error_file_id);
    expect(answer?.response).toMatchObject({ status_code: 409, body: { error: { code: 'cancelled' } } });
    await test.api.close();
  });

  it('counts exactly, at every read, and never backwards', async () => {
    const mill = await open({ RUN_WINDOW: 8 });
    const { client } = mill;
    const many = Array.from({ length: 400 }, (_, index) =>
      index % 5 === 4 ? taskLine(`l-${index}`, {}) : upper(`l-${index}`, 'x'),
    );
    const { id } = await createBatch(client, await uploadLines(client, many), { endpoint: '/v1/tasks' });
    const seen: number[] = [];
    const batch = await untilBatch(client, id, ({ status, request_counts: { total, completed, failed } }) => {
      if (status === 'in_progress') {
        // In input order every fifth line fails: the counts tell exactly how far it is.
        expect(failed).toBe(Math.floor((completed + failed) / 5));
        expect([total, completed + failed <= total]).toEqual([400, true]);
      }
      seen.push(completed + failed);
      return status === 'completed';
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(batch.request_counts).toEqual({ total: 400, completed: 320, failed: 80 });
    await mill.close();
  });

  it('is cancelled: what had ended is in the output, what had not is cancelled, and nothing else begins', async () => {
    const mill = await open({ RUN_WINDOW: 12 }, { held: true });
    const { client, begun, letEnd } = mill;
    const { id } = await createBatch(client, await uploadLines(client, lines), { endpoint: '/v1/tasks' });
    await soon(() => begun.length).toBe(12);
    letEnd(5);
    await untilBatch(client, id, ({ request_counts }) => request_counts.completed === 5);
    const cancelling = await client.batches.cancel(id);
    expect(cancelling).toMatchObject({ id, status: 'cancelling' });
    expect(cancelling.cancelling_at).not.toBeNull();
    expect(await client.batches.cancel(id)).toMatchObject({ id });
    // A stand-in worker does not hear of it: what it holds ends as it would have.
    letEnd();
    const batch = await untilEnded(client, id);
    expect(batch.status).toBe('cancelled');
    expect(batch.cancelled_at).not.toBeNull();
    const answers = await answersIn(client, batch.output_file_id);
    expect(answers.length).toBe(batch.request_counts.completed);
    expect(answers.map(({ custom_id }) => custom_id)).toEqual(
      lines.slice(0, answers.length).map((_, index) => `l-${index}`),
    );
    expect(batch.request_counts).toMatchObject({ total: 60, failed: 0 });
    expect(answers.length).toBeLessThanOrEqual(17);
    expect(begun.length).toBeLessThanOrEqual(17);
    expect(batch.error_file_id).toBeNull();
    await expect(client.batches.cancel(id)).rejects.toMatchObject({ status: 409, code: 'run_ended' });
    await mill.close();
  });

  it('is cancelled at once while nothing of it runs', async () => {
    const test = await openTestApi(redisUrl);
    const client = openAiOf(test.url);
    const { id } = await createBatch(client, await uploadLines(client, lines), { endpoint: '/v1/tasks' });
    await untilBatch(client, id, ({ status }) => status === 'in_progress');
    await client.batches.cancel(id);
    expect(await untilEnded(client, id)).toMatchObject({ status: 'cancelled', output_file_id: null });
    const states = (await (await test.get('/v1/tasks')).json()).tasks.map(({ state }: { state: string }) => state);
    expect(states.filter((state: string) => state !== 'cancelled')).toEqual([]);
    await test.api.close();
  });

  it('expires: each line whose turn never came is told, in order', async () => {
    const mill = await open({ RUN_WINDOW: 12 }, { held: true });
    const { client, begun, letEnd } = mill;
    const options = { endpoint: '/v1/tasks', window: '3s' } as const;
    const { id } = await createBatch(client, await uploadLines(client, lines), options);
    await soon(() => begun.length).toBe(12);
    letEnd(4);
    await untilBatch(client, id, ({ request_counts }) => request_counts.completed === 4);
    const over = (await readBatch(client, id)).expires_at ?? 0;
    await soon(() => Date.now() / 1000).toBeGreaterThan(over + 1);
    letEnd();
    const batch = await untilEnded(client, id);
    expect(batch.status).toBe('expired');
    const answers = await answersIn(client, batch.output_file_id);
    const told = await answersIn(client, batch.error_file_id);
    const ids = [...answers, ...told].map(({ custom_id }) => custom_id);
    expect(ids).toEqual(lines.map((_, index) => `l-${index}`));
    expect(batch.request_counts).toEqual({ total: 60, completed: answers.length, failed: told.length });
    expect(told.length).toBeGreaterThanOrEqual(60 - 16);
    for (const { response, error } of told) expect([response, error?.code]).toEqual([null, 'batch_expired']);
    await mill.close();
  });

  const disk = mountSmallDisk();
  it.runIf(disk !== undefined)('that finds the disk full says so, waits, and goes on when there is room', async () => {
    const FILES_DIR = disk?.folder ?? '';
    const mill = await open({ FILES_DIR, RUN_WINDOW: 12 }, { held: true });
    const { client, begun, letEnd, test } = mill;
    try {
      const { id } = await createBatch(client, await uploadLines(client, lines), { endpoint: '/v1/tasks' });
      await soon(() => begun.length).toBe(12);
      const filler = path.join(FILES_DIR, 'filler');
      // All that is left, and what is smaller than a block.
      for (const bytes of [1_000_000, 4096, 1]) fill(`${filler}-${bytes}`, bytes);
      letEnd();
      const blocked = await untilBatch(client, id, ({ progress }) => progress.blocked !== null);
      expect(blocked).toMatchObject({ status: 'in_progress', progress: { blocked: { code: 'STORAGE_FULL' } } });
      expect((await test.get('/healthz')).status).toBe(200);
      for (const name of readdirSync(FILES_DIR)) if (name.startsWith('filler')) rmSync(path.join(FILES_DIR, name));
      const batch = await untilEnded(client, id);
      expect(batch).toMatchObject({ status: 'completed', progress: { blocked: null } });
      expect(batch.request_counts).toEqual({ total: 60, completed: 60, failed: 0 });
      // What had ended while the disk was full was read, and not done again.
      expect(new Set(begun).size).toBe(60);
      expect(begun.length).toBe(60);
    } finally {
      await mill.close();
      disk?.unmount();
    }
  });
});

/** Writes files of so many bytes until there is room for no other. */
function fill(prefix: string, bytes: number): void {
  for (let count = 0; ; count += 1) {
    try {
      writeFileSync(`${prefix}-${count}`, Buffer.alloc(bytes));
    } catch {
      return;
    }
  }
}

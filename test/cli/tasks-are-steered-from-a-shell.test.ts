import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startApi, startWorker, stopProcesses } from '../setup/processes.ts';
import { ownFolder, runCli, startCli, until } from './cli-process.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const byRedis: Record<string, string> = { REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix };
let byHttp: Record<string, string>;
const ways = [
  ['by Redis', () => byRedis],
  ['by HTTP', () => byHttp],
] as const;

beforeAll(async () => {
  const [api] = await Promise.all([
    startApi({ redisUrl, prefix }),
    startWorker({ redisUrl, prefix, env: { INFERENCE_LANES: '1' } }),
  ]);
  byHttp = { MILLRACE_URL: api.url };
});
afterAll(stopProcesses);

const cleanInput = JSON.stringify({ texts: ['<p>Hi&nbsp;there'], format: 'html' });

describe.each(ways)('%s', (_, env) => {
  it('enqueue waits for the output, and get shows the task', async () => {
    const { code, out } = await runCli(['enqueue', 'text.clean', '--input', cleanInput, '--json'], { env: env() });
    const { id, output } = JSON.parse(out);
    expect([code, output]).toEqual([0, { texts: ['Hi there'] }]);
    const got = await runCli(['get', id, '--json'], { env: env() });
    expect(JSON.parse(got.out)).toMatchObject({
      id,
      type: 'text.clean',
      state: 'succeeded',
      result: { texts: ['Hi there'] },
    });
    const text = await runCli(['get', id], { env: env() });
    expect(text.out).toMatch(/state +succeeded/);
    expect(text.out).toContain('"Hi there"');
  });

  it('enqueue --detach gives an id alone, of a task that can be explained, cancelled and retried', async () => {
    const later = ['--detach', '--delay', '1h', '--priority', 'high', '--tag', 'a', '--tag', 'b'];
    const { code, out } = await runCli(['enqueue', 'text.clean', ...later], { env: env(), input: cleanInput });
    const id = out.trim();
    expect([code, id]).toEqual([0, expect.stringMatching(/^t-[0-9a-f-]{36}$/)]);
    const explained = await runCli(['explain', id], { env: env() });
    expect(explained.out).toContain('not due before');
    expect((await runCli(['retry', id], { env: env() })).code).toBe(1);
    expect((await runCli(['cancel', id], { env: env() })).out).toBe(`${id}  cancelled\n`);
    const cancelled = await runCli(['get', id, '--json'], { env: env() });
    expect(cancelled.code).toBe(1);
    expect(JSON.parse(cancelled.out)).toMatchObject({ state: 'cancelled', priority: 10, tags: ['a', 'b'] });
    expect((await runCli(['retry', id, 't-nobody'], { env: env() })).code).toBe(1);
    const done = await runCli(['get', id, '--wait', '1m', '--json'], { env: env() });
    expect(JSON.parse(done.out)).toMatchObject({ state: 'succeeded' });
  });

  it('tells what is wrong with a task, and which types there are', async () => {
    const wrong = await runCli(['enqueue', 'text.clean', '--input', '{"texts": [5]}'], { env: env() });
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('input.format: got nothing') });
    const unknown = await runCli(['enqueue', 'text.nothing', '--input', '{}'], { env: env() });
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('use one of inference.embed') });
    const json = await runCli(['get', 't-nobody', '--json'], { env: env() });
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: 'TASK_NOT_FOUND', remedy: expect.any(String) } });
  });

  it('shows how the mill is', async () => {
    const status = await runCli(['status', '--json'], { env: env() });
    expect(status.code).toBe(0);
    expect(JSON.parse(status.out)).toMatchObject({
      workers: [{ families: ['text', 'inference', 'vector'] }],
      queues: [{}, {}, {}],
    });
    expect((await runCli(['status'], { env: env() })).out).toContain('1 with 3 compute processes');
    const once = await runCli(['watch', '--once'], { env: env() });
    for (const word of ['family', 'inference', 'ended/min', 'worker', 'calls/s']) expect(once.out).toContain(word);
  });

  it('plans with tasks of the file, and says what it found', async () => {
    const lines = Array.from({ length: 30 }, (__, at) => `line ${at} to be planned ${Math.random()}`);
    const args = ['plan', '--for', '5s'];
    const json = await runCli([...args, '--json'], { env: env(), input: `${lines.join('\n')}\n\n` });
    expect(JSON.parse(json.out)).toMatchObject({
      records: 31,
      items: 30,
      faults: [{ count: 1, line: 31 }],
      measured: { items: 30, failed: 0, isWhole: true },
      remembered: 0,
      perMinute: expect.any(Number),
      redis: { bytesPerItem: expect.any(Number) },
    });
    const again = await runCli(args, { env: env(), input: lines.join('\n') });
    expect(again.out).toContain('100 % of it was computed lately');
    const run = ['--type', 'text.clean', '--input-template', '{"texts": ["{{text}}"], "format": "plain"}'];
    const clean = await runCli([...args, ...run], { env: env(), input: lines.join('\n') });
    expect(clean.out).toMatch(/file +30 lines, 30 to compute/);
  });
});

describe('Searching', () => {
  it('finds the points of a collection by a text', async () => {
    const mill = new Millrace({ redisUrl, prefix });
    const texts = ['A detective in London', 'A whale at sea'];
    await mill.createCollection('books', { dimensions: 384, metric: 'cosine', model: 'all-MiniLM-L6-v2' });
    const points = texts.map((text, at) => ({ id: `book-${at}`, text, metadata: { title: text } }));
    await (await mill.enqueue('vector.upsert', { collection: 'books', points })).result();
    await mill.close();
    const { code, out } = await runCli(['search', 'books', 'Sherlock Holmes', '-k', '1'], { env: byRedis });
    expect([code, out]).toEqual([0, expect.stringMatching(/1 +0\.\d{4} +book-0 +\{"title":"A detective in London"\}/)]);
    const filter = ['--filter', '{"title": "A whale at sea"}', '--json'];
    const filtered = await runCli(['search', 'books', 'Sherlock Holmes', ...filter], { env: byHttp });
    expect(JSON.parse(filtered.out)).toMatchObject({ hits: [{ id: 'book-1' }] });
    const missing = await runCli(['search', 'nowhere', 'x'], { env: byRedis });
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('no collection') });
  });
});

describe('Ctrl-C', () => {
  it.each([
    ['leaves the task going', 'leave', 'queued'],
    ['cancels it if told to', 'cancel', 'cancelled'],
  ])('while enqueue waits %s', async (_, what, state) => {
    const env = { ...byRedis, MILLRACE_PREFIX: ownPrefix() };
    const cli = startCli(['enqueue', 'text.clean', '--input', cleanInput, '--on-interrupt', what], { env });
    const [, id = ''] = await until(() => /Task (\S+) is enqueued/.exec(cli.err()) ?? undefined);
    cli.child.kill('SIGINT');
    expect((await cli.ended).code).toBe(130);
    const { out } = await runCli(['get', id, '--json'], { env });
    expect(JSON.parse(out)).toMatchObject({ state });
  });

  it('ends watch, which has told a line of JSON each time', async () => {
    const cli = startCli(['watch', '--json', '--interval', '50ms'], { env: byRedis });
    let out = '';
    cli.child.stdout?.on('data', (piece) => {
      out += piece;
    });
    await until(() => (out.split('\n').length > 3 ? true : undefined));
    cli.child.kill('SIGINT');
    expect((await cli.ended).code).toBe(0);
    const [line = ''] = out.split('\n');
    expect(JSON.parse(line)).toMatchObject({ at: expect.any(String), queues: [{}, {}, {}], workers: [{}] });
  });
});

describe('Which mill', () => {
  it('is said by options before settings, and by .env', async () => {
    const folder = ownFolder();
    writeFileSync(path.join(folder, '.env'), `REDIS_URL=${redisUrl}\nMILLRACE_PREFIX=${prefix}\n`);
    expect((await runCli(['status'], { cwd: folder })).code).toBe(0);
    const nowhere = { REDIS_URL: 'redis://127.0.0.1:1' };
    expect((await runCli(['status'], { cwd: folder, env: nowhere })).code).toBe(3);
    expect((await runCli(['status', '--redis', redisUrl], { cwd: folder, env: nowhere })).code).toBe(0);
    expect((await runCli(['status', '--url', byHttp['MILLRACE_URL'] ?? ''], { env: nowhere })).code).toBe(0);
    const both = await runCli(['status', '--url', 'http://localhost', '--redis', redisUrl]);
    expect(both).toMatchObject({ code: 2, err: expect.stringContaining('exclude each other') });
  });

  it('is the one of npm start, in this folder or one above', async () => {
    const folder = ownFolder();
    mkdirSync(path.join(folder, '.millrace'));
    mkdirSync(path.join(folder, 'deeper'));
    writeFileSync(path.join(folder, '.millrace', 'redis.json'), JSON.stringify({ url: redisUrl }));
    const env = { MILLRACE_PREFIX: prefix };
    expect((await runCli(['status'], { cwd: path.join(folder, 'deeper'), env })).code).toBe(0);
  });

  it('that is not there is said in one sentence, with what to start, and ends with 3', async () => {
    const folder = ownFolder();
    const unknown = await runCli(['status'], { cwd: folder });
    expect(unknown).toMatchObject({ code: 3, err: expect.stringContaining('Start one with `npm start`') });
    const hosts = [
      ['--redis', 'redis://user:secret@127.0.0.1:1'],
      ['--redis', 'redis://no-such-host.invalid:6379'],
      ['--url', 'http://no-such-host.invalid:3000'],
    ] as const;
    for (const host of hosts) {
      const { code, err } = await runCli(['status', ...host, '--json'], { cwd: folder });
      expect([code, JSON.parse(err).error.code], host[1]).toEqual([
        3,
        expect.stringMatching(/^(REDIS|API)_UNAVAILABLE$/),
      ]);
      expect(err).not.toContain('secret');
    }
    const run = await runCli(['embed', '-', '-o', path.join(folder, 'v.npy'), '--redis', 'redis://127.0.0.1:1'], {
      cwd: folder,
    });
    expect(run.code).toBe(3);
  });

  it('by HTTP gets the key', async () => {
    const key = 'a-key-of-the-test';
    const hash = createHash('sha256').update(key).digest('hex');
    const env = { MILLRACE_API_KEYS: `test:admin:${hash}` };
    const api = await startApi({ redisUrl, prefix, env });
    const without = await runCli(['status', '--url', api.url]);
    expect(without).toMatchObject({ code: 3, err: expect.stringContaining('MILLRACE_API_KEY') });
    const withKey = await runCli(['status', '--url', api.url], { env: { MILLRACE_API_KEY: key } });
    expect(withKey.code).toBe(0);
  });
});

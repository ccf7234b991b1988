import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ReadableStream } from 'node:stream/web';
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { describeRuns } from '../conformance/runs.ts';
import { ownPrefix } from '../setup/mill.ts';
import { startApi, startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const FILES_DIR = mkdtempSync(path.join(tmpdir(), 'millrace-runs-'));
let baseUrl: string;
let api: TestProcess;
const options = {
  redisUrl,
  prefix,
  env: { FILES_DIR, RUN_WINDOW: '128', BODY_LIMIT: '100000', FILE_LIMIT: '3000000' },
};

async function startSameApi(): Promise<TestProcess> {
  return await startApi({ ...options, env: { ...options.env, PORT: new URL(baseUrl).port } });
}

beforeAll(async () => {
  baseUrl = `http://127.0.0.1:${await freePort()}`;
  const worker = startWorker({ redisUrl, prefix, env: { FAMILIES: 'text,inference', INFERENCE_LANES: '1' } });
  [api] = await Promise.all([startSameApi(), worker]);
});
afterAll(async () => {
  await stopProcesses();
  rmSync(FILES_DIR, { recursive: true, force: true });
});

describeRuns({ name: 'HTTP', open: () => new Millrace({ baseUrl }) });

const clean = (index: number) => ({ texts: [`<p>page ${index}</p>`], format: 'html' as const });

describe('A run of 2,000 lines', () => {
  it('of a file is followed and collected while its API is killed and started again', async () => {
    const mill = new Millrace({ baseUrl, retryMs: 60_000 });
    const file = path.join(FILES_DIR, 'inputs.jsonl');
    const lines = Array.from({ length: 2000 }, (_, index) =>
      JSON.stringify(index % 500 === 499 ? { texts: [] } : clean(index)),
    );
    writeFileSync(file, lines.join('\n'));
    const run = await mill.runs.submit('text.clean', { jsonl: file });
    rmSync(file);
    // The output comes while somebody waits for it.
    const collecting = (async () => {
      const seen: string[] = [];
      for await (const outcome of run.results()) {
        seen.push(outcome.status === 'succeeded' ? (outcome.output.texts[0] ?? '') : outcome.error.code);
      }
      return seen;
    })();
    let restarted = 0;
    const done: number[] = [];
    for await (const { counts } of run.follow({ everyMs: 50 })) {
      done.push(counts.succeeded + counts.failed);
      if (restarted > 0 || (done.at(-1) ?? 0) < 300) continue;
      restarted = done.length;
      await api.stop('SIGKILL');
      api = await startSameApi();
    }
    expect(restarted).toBeGreaterThan(0);
    expect(done).toEqual([...done].sort((one, other) => one - other));
    expect(await run.read()).toMatchObject({ state: 'completed', counts: { total: 2000, succeeded: 1996, failed: 4 } });
    const expected = lines.map((_, index) => (index % 500 === 499 ? 'INVALID_INPUT' : `page ${index}`));
    expect(await collecting).toEqual(expected);
    await mill.close();
  });

  it('is told to a slow reader by connections that break', async () => {
    let broken = 0;
    // A connection to a file that breaks in the middle, twice for each.
    const tear: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (!String(url).endsWith('/content') || broken >= 4) return response;
      broken += 1;
      const { body } = response;
      if (body === null) return response;
      const whole = broken - 1;
      async function* torn(pieces: AsyncIterable<Uint8Array>) {
        let count = 0;
        for await (const piece of pieces) {
          yield count < whole ? piece : piece.subarray(0, 100);
          if (count === whole) throw new Error('torn');
          count += 1;
        }
      }
      return new Response(ReadableStream.from(torn(body as never)) as never, response);
    };
    const mill = new Millrace({ baseUrl, fetch: tear });
    const inputs = Array.from({ length: 2000 }, (_, index) =>
      index % 2 === 0 ? clean(index) : { texts: [] as string[] },
    );
    const run = await mill.runs.submit('text.clean', inputs as ReturnType<typeof clean>[]);
    let next = 0;
    for await (const outcome of run.results()) {
      expect(outcome.index).toBe(next);
      if (outcome.index % 2 === 1)
        expect(outcome).toMatchObject({ status: 'failed', error: { code: 'INVALID_INPUT' } });
      else expect(outcome).toMatchObject({ status: 'succeeded', output: { texts: [`page ${outcome.index}`] } });
      next += 1;
    }
    expect([next, broken]).toEqual([2000, 4]);
    await mill.close();
  });
});

describe('An upload', () => {
  it('is sent again when it breaks off, if its inputs can be read again, and a lost answer makes no second run', async () => {
    const proxy = await openProxy();
    const mill = new Millrace({ baseUrl: proxy.url });
    const inputs = [clean(1), clean(2)];
    const before = (await mill.runs.list({ limit: 100 })).runs.length;
    proxy.lose.push('/v1/files', '/v1/batches');
    const run = await mill.runs.submit('text.clean', inputs);
    expect(proxy.lose).toEqual([]);
    expect((await mill.runs.list({ limit: 100 })).runs.length).toBe(before + 1);
    expect(await run.ended()).toMatchObject({ state: 'completed', counts: { total: 2, succeeded: 2 } });
    proxy.lose.push('/v1/files');
    const once = mill.runs.submit('text.clean', inputs[Symbol.iterator]());
    await expect(once).rejects.toMatchObject({ code: 'API_UNAVAILABLE' });
    await mill.close();
    proxy.close();
  });

  it('that is too large leaves nothing', async () => {
    const mill = new Millrace({ baseUrl });
    const files = () => readdirSync(FILES_DIR).sort();
    const before = files();
    const runs = (await mill.runs.list()).runs[0]?.id;
    const large = (function* () {
      for (let index = 0; index < 100; index += 1) yield { texts: ['x'.repeat(50_000)], format: 'html' as const };
    })();
    await expect(mill.runs.submit('text.clean', large)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    expect((await mill.runs.list()).runs[0]?.id).toBe(runs);
    await expect.poll(files).toEqual(before);
    await mill.close();
  });

  it('that is called off in the middle leaves nothing', async () => {
    const mill = new Millrace({ baseUrl });
    const files = () => readdirSync(FILES_DIR).sort();
    const before = files();
    const runs = (await mill.runs.list()).runs[0]?.id;
    const abort = new AbortController();
    async function* endless() {
      for (let index = 0; ; index += 1) {
        if (index === 2000) abort.abort(new Error('called off'));
        yield clean(index);
      }
    }
    const called = mill.runs.submit('text.clean', endless(), { signal: abort.signal });
    await expect(called).rejects.toThrow('called off');
    expect((await mill.runs.list()).runs[0]?.id).toBe(runs);
    await expect.poll(files).toEqual(before);
    await mill.close();
  });
});

describe('Runs', () => {
  it('of a client by Redis say that they need the API', async () => {
    const mill = new Millrace({ redisUrl, prefix });
    const calls = [mill.runs.submit('text.clean', [clean(1)]), mill.runs.get('batch_x'), mill.runs.list()];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(mill.runs.list()).rejects.toThrow(/baseUrl/);
    await mill.close();
  });

  it('that others began are steered, and their results are theirs', async () => {
    const mill = new Millrace({ baseUrl });
    const form = new FormData();
    form.set('purpose', 'batch');
    const line = { custom_id: 'x', method: 'POST', url: '/v1/embeddings', body: { input: 'a' } };
    form.set('file', new Blob([JSON.stringify(line)]), 'in.jsonl');
    const post = async (route: string, init: RequestInit) =>
      (await (await fetch(`${baseUrl}${route}`, { method: 'POST', ...init })).json()) as { id: string };
    const { id: input_file_id } = await post('/v1/files', { body: form });
    const body = JSON.stringify({ input_file_id, endpoint: '/v1/embeddings', completion_window: '24h' });
    const { id } = await post('/v1/batches', { body, headers: { 'content-type': 'application/json' } });
    const run = await mill.runs.get(id);
    expect(run.type).toBeNull();
    expect(await run.ended()).toMatchObject({ state: 'completed', type: null, counts: { total: 1, succeeded: 1 } });
    await expect(run.results().next()).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await mill.close();
  });
});

/** A way to the API that loses the answer to the next request of each path that it is told. */
async function openProxy() {
  const lose: string[] = [];
  const server = createServer(async (request, response) => {
    const at = request.method === 'POST' ? lose.indexOf(request.url ?? '') : -1;
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const hasBody = request.method === 'POST';
    const init = hasBody ? { method: 'POST', headers, body: request, duplex: 'half' } : {};
    const answer = await fetch(`${baseUrl}${request.url}`, init as RequestInit);
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (at !== -1) {
      lose.splice(at, 1);
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(bytes);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${port}`, lose, close: () => void server.close() };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Millrace } from '@millrace/client';
import type { TaskView } from '@millrace/shared/tasks/task';
import OpenAI from 'openai';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { openTestApi, problemIn, type TestApi } from '../api/open-test-api.ts';
import { openStandInWorker } from '../api/stand-in-worker.ts';
import { createBatch, embedLine, openAiOf, taskLine, untilEnded, uploadLines } from '../setup/run-files.ts';
import { newSecret, ok, openReceiver, type Received, status, type WebhookReceiver } from '../setup/webhook-receiver.ts';

const redisUrl = inject('redisUrl');
const [secret, formerSecret] = [newSecret(), newSecret()];
const tries = 6;
let api: TestApi;
let worker: { close(): Promise<void> };
let receiver: WebhookReceiver;

beforeAll(async () => {
  receiver = await openReceiver();
  api = await openTestApi(redisUrl, {
    WEBHOOK_HOSTS: ['127.0.0.1'],
    WEBHOOK_SECRET: [secret, formerSecret],
    WEBHOOK_PRIVATE_ADDRESSES: '1',
    WEBHOOK_TIMEOUT: 500,
    WEBHOOK_TRIES: tries,
    WEBHOOK_BACKOFF: 50,
  });
  worker = openStandInWorker({ redisUrl, prefix: api.prefix });
});
afterEach(() => {
  receiver.answer = ok;
});
afterAll(async () => {
  await worker.close();
  await api.api.close();
  await receiver.close();
});

const clean = (texts: string[], options: Record<string, unknown> = {}) => ({
  type: 'text.clean',
  input: { texts, format: 'plain' },
  webhook: { url: receiver.url },
  ...options,
});

async function enqueue(texts: string[], options?: Record<string, unknown>): Promise<string> {
  const response = await api.post('/v1/tasks', clean(texts, options));
  expect(response.status).toBe(202);
  return ((await response.json()) as TaskView).id;
}

async function delivered(outcome: string): Promise<number> {
  const text = await (await api.get('/metrics')).text();
  return Number(
    new RegExp(`^millrace_webhook_deliveries_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0,
  );
}

function idsOf(received: readonly Received[]): Set<string> {
  return new Set(received.map(({ id }) => id));
}

describe('A webhook of a task', () => {
  it('tells that it has succeeded, without input and result', async () => {
    const id = await enqueue(['private words'], { tags: ['invoice-7'] });
    const [one] = await receiver.about(id);
    const { finishedAt, createdAt } = (await (await api.get(`/v1/tasks/${id}`)).json()) as TaskView;
    expect(one?.event).toEqual({
      type: 'task.succeeded',
      timestamp: finishedAt,
      data: { id, type: 'text.clean', state: 'succeeded', tags: ['invoice-7'], attempt: 1, createdAt, finishedAt },
    });
    expect(one?.headers['content-type']).toBe('application/json');
  });

  it('is verified by any library of Standard Webhooks, with the secret and with the former one', async () => {
    const [one] = await receiver.about(await enqueue(['a']));
    for (const each of [secret, formerSecret]) {
      expect(new Webhook(each).verify(one?.body ?? '', one?.headers ?? {})).toEqual(one?.event);
    }
    expect(() => new Webhook(newSecret()).verify(one?.body ?? '', one?.headers ?? {})).toThrow('signature');
    expect(() => new Webhook(secret).verify(`${one?.body} `, one?.headers ?? {})).toThrow('signature');
  });

  it('is unwrapped by the client of OpenAI', async () => {
    const [one] = await receiver.about(await enqueue(['a']));
    const client = new OpenAI({ apiKey: 'none', webhookSecret: secret });
    expect(await client.webhooks.unwrap(one?.body ?? '', one?.headers ?? {})).toEqual(one?.event);
  });

  it('tells the code of a failure, and of the next end when the task is tried again', async () => {
    const id = await enqueue(['fail']);
    const [first] = await receiver.about(id);
    expect(first?.event).toMatchObject({ type: 'task.failed', data: { id, error: { code: 'PROCESSOR_FAILED' } } });
    expect(first?.body).not.toContain('wheel');
    await api.post(`/v1/tasks/${id}/retry`, {});
    const both = await receiver.about(id, 2);
    expect(both.map(({ event }) => event.type)).toEqual(['task.failed', 'task.failed']);
    expect(idsOf(both).size).toBe(2);
  });

  it('tells that it was cancelled or has expired before it began', async () => {
    const cancelled = await enqueue(['a'], { delayMs: 3_600_000 });
    await api.post(`/v1/tasks/${cancelled}/cancel`, {});
    await api.post('/v1/queues/text/pause', {});
    const expired = await enqueue(['a'], { expiresInMs: 1 });
    expect((await receiver.about(cancelled))[0]?.event).toMatchObject({ type: 'task.cancelled' });
    expect((await receiver.about(expired))[0]?.event).toMatchObject({ type: 'task.expired', data: { attempt: 0 } });
    await api.post('/v1/queues/text/resume', {});
  });

  it('may be on each task of a bulk request, and be given by the client in both its ways', async () => {
    const response = await api.post('/v1/tasks/bulk', { tasks: [clean(['a']), clean(['b'])] });
    const { items } = (await response.json()) as { items: { id: string }[] };
    const { url } = receiver;
    const over = [new Millrace({ redisUrl, prefix: api.prefix }), new Millrace({ baseUrl: api.url })];
    const tasks = await Promise.all(
      over.map((mill) => mill.enqueue('text.clean', { texts: ['c'], format: 'plain' }, { webhook: { url } })),
    );
    for (const { id } of [...items, ...tasks]) {
      expect((await receiver.about(id))[0]?.event.type).toBe('task.succeeded');
    }
    await Promise.all(over.map((mill) => mill.close()));
  });

  it('leaves nothing behind', async () => {
    const id = await enqueue(['a']);
    await receiver.about(id);
    const { redis } = api.mill;
    await expect.poll(() => redis.exists(api.keys.webhookPending('text'), api.keys.webhookEnds)).toBe(0);
  });
});

describe('A webhook that does not arrive', () => {
  it('is sent again with the same id and the same bytes, after errors, silence and a receiver that was away', async () => {
    let count = 0;
    receiver.answer = (response) => {
      count += 1;
      if (count === 1) response.writeHead(500).end();
      else if (count === 2) response.writeHead(302, { location: receiver.url }).end();
      else if (count > 3) response.writeHead(204).end(); // the third is left without an answer
    };
    const id = await enqueue(['a']);
    const all = await receiver.about(id, 4);
    expect(idsOf(all).size).toBe(1);
    expect(new Set(all.map(({ body }) => body)).size).toBe(1);
    expect(count).toBe(4);

    const port = await freePort();
    const away = await enqueue(['a'], { webhook: { url: `http://127.0.0.1:${port}/` } });
    const before = await delivered('retry');
    await expect.poll(() => delivered('retry')).toBeGreaterThan(before);
    const back = await openReceiver(port);
    await back.about(away);
    await back.close();
  });

  it('is not sent again once the receiver says that it is gone', async () => {
    receiver.answer = status(410);
    const id = await enqueue(['a']);
    await expect.poll(() => delivered('gone')).toBe(1);
    expect(await receiver.about(id)).toHaveLength(1);
    expect(api.lines.find(({ event }) => event === 'webhook.gone')).toMatchObject({ type: 'task.succeeded', tries: 1 });
  });

  it('is given up after the last try, which is logged without its path and counted', async () => {
    receiver.answer = status(503);
    const id = await enqueue(['a']);
    await expect.poll(() => delivered('given_up'), { timeout: 20_000 }).toBe(1);
    expect(await receiver.about(id)).toHaveLength(tries);
    const line = api.lines.find(({ event }) => event === 'webhook.given-up');
    expect(line).toMatchObject({ tries, host: `127.0.0.1:${receiver.port}`, why: 'the receiver answered 503' });
    expect(JSON.stringify(line)).not.toContain('token=secret');
  });

  it('is not read beyond a small bound when the answer is endless', async () => {
    let written = 0;
    const cut = new Promise<void>((resolve) => {
      receiver.answer = (response) => {
        response.writeHead(200);
        response.on('close', resolve);
        const write = () => {
          while (!response.destroyed && response.write('x'.repeat(4096))) written += 4096;
        };
        response.on('drain', write);
        write();
      };
    });
    const id = await enqueue(['a']);
    await cut;
    // What lies in the buffers of the two sockets was written, too.
    expect(written).toBeLessThan(16 * 2 ** 20);
    expect(await receiver.about(id)).toHaveLength(1);
  });

  it('keeps no other from its receiver', async () => {
    const hanging = await openReceiver();
    hanging.answer = () => {};
    const { url } = hanging;
    await api.post('/v1/tasks/bulk', { tasks: Array.from({ length: 200 }, () => clean(['a'], { webhook: { url } })) });
    await expect.poll(() => hanging.received.length).toBeGreaterThan(0);
    await receiver.about(await enqueue(['a']));
    expect(hanging.received.length).toBeLessThan(200);
    await hanging.close();
  });
});

describe('A webhook of a run', () => {
  it('tells that it has completed, and where its answers are', async () => {
    const client = openAiOf(api.url);
    const file = await uploadLines(client, [embedLine('one', 'a text')]);
    const batch = await client.batches.create({
      ...{ input_file_id: file, endpoint: '/v1/embeddings', completion_window: '24h', metadata: { job: 'nightly' } },
      ...{ webhook: { url: receiver.url } },
    });
    const [one] = await receiver.about(batch.id);
    const { output_file_id } = await client.batches.retrieve(batch.id);
    expect(one?.event).toMatchObject({
      type: 'batch.completed',
      data: {
        id: batch.id,
        status: 'completed',
        request_counts: { total: 1, completed: 1, failed: 0 },
        output_file_id,
        metadata: { job: 'nightly' },
      },
    });
    expect(new Webhook(secret).verify(one?.body ?? '', one?.headers ?? {})).toEqual(one?.event);
  });

  it('is beside those of its lines, which are told although a run removes its tasks', async () => {
    const client = openAiOf(api.url);
    const file = await uploadLines(client, [taskLine('one', clean(['a']))]);
    const batch = await createBatch(client, file, { endpoint: '/v1/tasks' });
    const aboutLine = () => receiver.received.filter(({ event }) => event.data.id.startsWith('t-')).length;
    const before = aboutLine();
    await untilEnded(client, batch.id);
    await expect.poll(aboutLine, { timeout: 20_000 }).toBe(before + 1);
  });

  it('tells that it was cancelled, and is refused where it may not go', async () => {
    await api.post('/v1/queues/inference/pause', {});
    const client = openAiOf(api.url);
    const file = await uploadLines(client, [embedLine('one', 'another text')]);
    const body = { input_file_id: file, endpoint: '/v1/embeddings', completion_window: '24h' };
    const refused = await api.post('/v1/batches', { ...body, webhook: { url: 'http://other.example/' } });
    expect(refused.status).toBe(400); // as OpenAI answers
    expect(await refused.json()).toMatchObject({ error: { param: 'webhook.url' } });
    const response = await api.post('/v1/batches', { ...body, webhook: { url: receiver.url } });
    const { id } = (await response.json()) as { id: string };
    await api.post(`/v1/batches/${id}/cancel`, {});
    expect((await receiver.about(id))[0]?.event).toMatchObject({ type: 'batch.cancelled', data: { id } });
    await api.post('/v1/queues/inference/resume', {});
  });
});

describe('The receiver of the page', () => {
  it('takes what is genuine and refuses what is forged', async () => {
    const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8');
    const [, code = ''] = /^```js\n(.*?)^```/ms.exec(page) ?? [];
    const port = await freePort();
    const args = ['--input-type=module', '--eval', code.replace('8080', String(port))];
    const program = spawn(process.execPath, args, {
      env: { WEBHOOK_SECRET: secret },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
    const url = `http://127.0.0.1:${port}/`;
    const id = await enqueue(['a'], { webhook: { url } });
    const { value } = await said.next();
    expect(value).toMatch(new RegExp(`^msg_\\w+ task\\.succeeded ${id}$`));
    const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AAAA' };
    expect((await fetch(url, { method: 'POST', body: '{}', headers })).status).toBe(400);
    program.kill();
    await once(program, 'exit');
  });
});

describe('The queue of webhooks', () => {
  it('is no family, and is shown on the board without the paths of receivers', async () => {
    const { queues } = (await (await api.get('/v1/queues')).json()) as { queues: { family: string }[] };
    expect(queues.map(({ family }) => family).sort()).toEqual(['inference', 'text', 'vector']);
    expect((await problemIn(await api.post('/v1/queues/webhooks/pause', {}))).status).toBe(422);
    const board = await (await api.get('/board/api/queues?activeQueue=webhooks&status=completed')).text();
    expect(board).toContain('task.succeeded');
    expect(board).not.toContain('token=secret');
  });
});

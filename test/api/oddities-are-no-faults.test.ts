import { once } from 'node:events';
import { connect } from 'node:net';
import { waitListDuty } from '@millrace/shared/sweep/wait-list';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openTestApi, problemIn, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  await test.api.close();
});

const queueOf = () => {
  const queue = test.mill.queues.get('text');
  if (queue === undefined) throw new Error('there is no queue text');
  return queue;
};
const task = { v: 1, input: { texts: ['a'], format: 'plain' } };

/** A job whose data only a hand at Redis can have written. */
async function addBroken(jobId: string, options: { priority?: number } = {}): Promise<void> {
  await queueOf().add('text.clean', task, { jobId, ...options });
  await test.mill.redis.hset(queueOf().toKey(jobId), 'data', '{"v":1,"inp');
}

describe('A request that was a fault once', () => {
  it('with null for the metadata of a document is not valid', async () => {
    const body = { documents: [{ id: '1', text: 'a', metadata: null }] };
    const response = await test.post('/v1/collections/c/documents', body);
    expect(response.status).toBe(422);
    expect((await problemIn(response)).problems?.[0]?.path).toBe('input.documents[0].metadata');
  });

  it('with a file, and no boundary, has no content type that is read', async () => {
    const response = await fetch(`${test.url}/v1/files`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data' },
      body: 'abc',
    });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_media_type' } });
  });

  it('for an address that is no URL has no route', async () => {
    const { hostname, port } = new URL(test.url);
    const socket = connect(Number(port), hostname);
    socket.setEncoding('utf8').end('GET //evil.example|x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let answer = '';
    socket.on('data', (text) => {
      answer += text;
    });
    await once(socket, 'close');
    expect(answer).toContain('HTTP/1.1 404 Not Found');
    expect(answer).toContain('ROUTE_NOT_FOUND');
  });

  it('for more than the router takes has its id all the same', async () => {
    const response = await test.get(`/v1/tasks/${'x'.repeat(5000)}`);
    expect(response.status).toBe(404);
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('A job whose data is no JSON', () => {
  it('keeps no other from being tried again', async () => {
    await addBroken('broken', { priority: 1 });
    await queueOf().add('text.clean', task, { jobId: 'whole', priority: 1 });
    // As if a worker had failed both.
    for (const id of ['broken', 'whole']) {
      await test.mill.redis.zrem(test.keys.bull('text', 'prioritized'), id);
      await test.mill.redis.zadd(test.keys.bull('text', 'failed'), Date.now() - 1000, id);
      await test.mill.redis.hset(queueOf().toKey(id), {
        failedReason: 'PROCESSOR_FAILED: x',
        finishedOn: Date.now() - 1000,
      });
    }
    const all = await test.post('/v1/tasks/retry', { family: 'text' });
    expect([all.status, await all.json()]).toEqual([200, { retried: 1, more: false }]);
    expect(await queueOf().getJobState('whole')).toBe('prioritized');
    const one = await test.post('/v1/tasks/text.broken/retry', '');
    expect([one.status, (await problemIn(one)).code]).toEqual([410, 'RESULT_EXPIRED']);
  });

  it('keeps no other at the head of all priorities', async () => {
    await addBroken('torn');
    await queueOf().add('text.clean', task, { jobId: 'bare' });
    await waitListDuty([queueOf()]).run();
    for (const id of ['torn', 'bare']) expect([id, await queueOf().getJobState(id)]).toEqual([id, 'prioritized']);
  });
});

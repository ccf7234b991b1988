import type { Millrace } from '@millrace/client';
import { expect } from 'vitest';
import { contentOf, createBatch, embedLine, openAiOf, untilEnded, uploadLines } from './run-files.ts';

/** Where the channel is to be tried: an API and a client of one mill, with a worker of all families. */
export interface Channel {
  readonly apiUrl: string;
  readonly mill: Millrace;
}

const waitMs = 30_000;
const clean = { type: 'text.clean', input: { texts: ['<b>a</b>'], format: 'html' } };

/** Everything that a mill does, once: all of it must be right. */
export async function tryWholeChannel(channel: Channel): Promise<void> {
  await tryTasks(channel);
  await tryEvents(channel);
  await trySteering(channel);
  await tryCollections(channel);
  await tryRun(channel);
  await tryLooks(channel);
}

async function tryTasks({ apiUrl, mill }: Channel): Promise<void> {
  const one = await mill.enqueue('inference.embed', { texts: ['a'] }, { tags: ['channel'], idempotencyKey: 'one' });
  const again = await mill.enqueue('inference.embed', { texts: ['a'] }, { tags: ['channel'], idempotencyKey: 'one' });
  expect(again.id).toBe(one.id);
  expect((await one.result({ timeoutMs: waitMs })).dimensions).toBe(384);
  // The same text again, from the cache of results.
  expect((await mill.embed(['a', 'b'])).map(({ length }) => length)).toEqual([384, 384]);
  const answer = await send(apiUrl, 'POST', '/v1/tasks/bulk', { tasks: Array(20).fill(clean) });
  const ids = (answer['items'] as { id: string }[]).map(({ id }) => id);
  const ends = await Promise.all(ids.map((id) => send(apiUrl, 'GET', `/v1/tasks/${id}?wait=30`)));
  expect(ends.every(({ state }) => state === 'succeeded')).toBe(true);
  expect((await mill.list({ tag: 'channel' })).tasks.map(({ id }) => id)).toEqual([one.id]);
  expect((await mill.explain(one.id)).state).toBe('succeeded');
}

async function tryEvents({ apiUrl, mill }: Channel): Promise<void> {
  const task = await mill.enqueue('inference.embed', { texts: ['followed'] }, { delayMs: 200 });
  const states: unknown[] = [];
  for await (const event of mill.follow(task.id)) if (event.kind === 'end') states.push(event.view.state);
  expect(states).toEqual(['succeeded']);
  const text = await (await fetch(`${apiUrl}/v1/tasks/${task.id}/events`)).text();
  expect(text).toContain('event: end');
}

async function trySteering({ apiUrl, mill }: Channel): Promise<void> {
  const task = await mill.enqueue('text.clean', { texts: ['a'], format: 'plain' }, { delayMs: 3_600_000 });
  await mill.changePriority(task.id, 'critical');
  expect((await mill.cancel(task.id)).state).toBe('cancelled');
  await mill.retry(task.id);
  expect((await mill.wait(task.id, { timeoutMs: waitMs })).state).toBe('succeeded');
  await send(apiUrl, 'POST', '/v1/queues/text/pause');
  const held = await mill.enqueue('text.clean', { texts: ['b'], format: 'plain' }, { expiresInMs: 1000 });
  expect((await mill.wait(held.id, { timeoutMs: waitMs })).state).toBe('expired');
  await send(apiUrl, 'POST', '/v1/queues/text/resume');
  await mill.putSchedule('often', { everyMs: 1000, task: { type: 'text.clean', input: clean.input, tags: ['often'] } });
  await expect
    .poll(async () => (await mill.list({ tag: 'often' })).tasks.length, { timeout: waitMs })
    .toBeGreaterThan(1);
  await mill.deleteSchedule('often');
}

async function tryCollections({ mill }: Channel): Promise<void> {
  await mill.createCollection('channel', { dimensions: 384, metric: 'cosine', model: 'all-MiniLM-L6-v2' });
  const points = ['rain', 'bread', 'rivers'].map((text) => ({ id: text, text, metadata: { length: text.length } }));
  const written = await mill.enqueue('vector.upsert', { collection: 'channel', points });
  expect((await written.result({ timeoutMs: waitMs })).upserted).toBe(3);
  const documents = [{ id: 'long', text: 'The wheel turns. '.repeat(40) }];
  const chunked = await mill.enqueue('vector.documents', { collection: 'channel', documents, maxTokens: 24 });
  await chunked.result({ timeoutMs: waitMs });
  const found = await mill.enqueue('vector.search', { collection: 'channel', texts: ['bread'], topK: 1 });
  expect((await found.result({ timeoutMs: waitMs })).results[0]?.hits[0]?.id).toBe('bread');
  const filter = { length: { $gt: 5 } };
  const gone = await mill.enqueue('vector.delete', { collection: 'channel', filter });
  expect((await gone.result({ timeoutMs: waitMs })).deleted).toBe(1);
  expect((await mill.collections()).map(({ name }) => name)).toEqual(['channel']);
  await mill.dropCollection('channel');
}

async function tryRun({ apiUrl }: Channel): Promise<void> {
  const client = openAiOf(apiUrl);
  const lines = Array.from({ length: 20 }, (_, index) => embedLine(`line-${index}`, `text ${index}`));
  const fileId = await uploadLines(client, lines);
  const { output_file_id, error_file_id, status } = await untilEnded(client, (await createBatch(client, fileId)).id);
  expect(status).toBe('completed');
  expect((await contentOf(client, error_file_id)).toString()).toBe('');
  expect((await contentOf(client, output_file_id)).toString().trim().split('\n')).toHaveLength(20);
  await client.files.delete(fileId);
}

async function tryLooks({ apiUrl }: Channel): Promise<void> {
  for (const path of [
    '/v1/queues',
    '/v1/workers',
    '/v1/models',
    '/metrics',
    '/board/',
    '/board/api/queues',
    '/readyz',
  ]) {
    expect([path, (await fetch(`${apiUrl}${path}`)).status]).toEqual([path, 200]);
  }
}

async function send(apiUrl: string, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${apiUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  expect([path, response.ok]).toEqual([path, true]);
  return (await response.json()) as Record<string, unknown>;
}

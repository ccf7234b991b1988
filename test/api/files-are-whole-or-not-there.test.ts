import { randomBytes } from 'node:crypto';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import type OpenAI from 'openai';
import { toFile } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { fileRetentionDuty, orphanDuty } from '../../apps/api/src/files/file-duties.ts';
import { DiskStore } from '../../apps/api/src/files/file-stores/disk.ts';
import { contentOf, createBatch, embedLine, openAiOf, soon, uploadLines } from '../setup/run-files.ts';
import { mountSmallDisk } from '../setup/small-disk.ts';
import { openTestApi, type TestApi } from './open-test-api.ts';

const redisUrl = inject('redisUrl');
const hour = 3_600_000;
let test: TestApi;
let client: OpenAI;
beforeAll(async () => {
  test = await openTestApi(redisUrl, { FILE_LIMIT: 5_000_000 });
  client = openAiOf(test.url);
});
afterAll(() => test.api.close());
afterEach(async () => {
  for await (const { id } of client.files.list()) await client.files.delete(id);
  expect(stored()).toEqual([]);
});

const stored = (of: TestApi = test) => readdirSync(of.filesDir).sort();
const purpose = 'batch';

describe('A file', () => {
  it('is uploaded, described, read and deleted', async () => {
    const bytes = randomBytes(3_000_000);
    const file = await client.files.create({ purpose, file: await toFile(bytes, '../../etc/pässwd.jsonl') });
    expect(file).toMatchObject({ object: 'file', bytes: bytes.length, purpose: 'batch', status: 'processed' });
    expect(file.id).toMatch(/^file-[\da-f-]{36}$/);
    // Its name is for people; where it lies is not of it.
    expect(file.filename).toBe('pässwd.jsonl');
    expect(stored()).toEqual([file.id]);
    expect(Math.abs(file.created_at - Date.now() / 1000)).toBeLessThan(60);
    expect(file.expires_at).toBe(file.created_at + 86_400);
    expect(await client.files.retrieve(file.id)).toEqual(file);
    const content = await client.files.content(file.id);
    expect(content.headers.get('content-length')).toBe('3000000');
    expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
    const acts = [
      () => client.files.retrieve(file.id),
      () => client.files.content(file.id),
      () => client.files.delete(file.id),
    ];
    for (const act of acts) {
      await expect(act()).rejects.toMatchObject({ status: 404, code: 'file_not_found' });
    }
  });

  it('may be empty, and may say how long it lives', async () => {
    const lifetime = { anchor: 'created_at', seconds: 7200 } as const;
    const file = await client.files.create({
      purpose,
      file: await toFile(Buffer.alloc(0), 'e'),
      expires_after: lifetime,
    });
    expect(file.bytes).toBe(0);
    expect(file.expires_at).toBe(file.created_at + 7200);
    expect(await contentOf(client, file.id)).toHaveLength(0);
  });

  it('is in a list, a page at a time, of one purpose if one is asked for', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const file = await toFile(Buffer.from(`${index}`), `${index}`);
      ids.push((await client.files.create({ purpose: index === 2 ? 'user_data' : 'batch', file })).id);
    }
    const listed = async (query: OpenAI.FileListParams) => {
      const found: string[] = [];
      for await (const { id } of client.files.list(query)) found.push(id);
      return found;
    };
    expect(await listed({ limit: 2 })).toEqual([...ids].reverse());
    expect(await listed({ limit: 2, order: 'asc' })).toEqual(ids);
    expect(await listed({ limit: 1, order: 'asc', purpose: 'batch' })).toEqual(ids.filter((_, index) => index !== 2));
    const page = await client.files.list({ limit: 3 });
    expect(page).toMatchObject({ has_more: true });
    await expect(client.files.list({ after: 'file-none' })).rejects.toMatchObject({ status: 404 });
  });

  it('has an id and no path', async () => {
    writeFileSync(path.join(test.filesDir, 'secret'), 'x');
    for (const id of ['secret', '../secret', '..%2Fsecret', 'file-1', '.draft-1']) {
      const response = await test.get(`/v1/files/${encodeURIComponent(id)}/content`);
      expect([id, response.status]).toEqual([id, 404]);
    }
    await new DiskStore(test.filesDir).delete('secret');
  });
});

/** Sends a request as it is, and gives all that is answered; hangs up once something is true if that is given. */
async function sendRaw(head: readonly string[], body: string, hangUpOnce?: () => boolean): Promise<string> {
  const socket = connect(Number(new URL(test.url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (piece) => {
    answer += piece.toString();
    if (answer.includes('}')) socket.end();
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  if (hangUpOnce !== undefined) {
    await soon(hangUpOnce).toBe(true);
    socket.destroy();
  }
  await closed;
  return answer;
}

const head = ['POST /v1/files HTTP/1.1', 'host: localhost', 'content-type: multipart/form-data; boundary=B'];
const begun = `--B\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--B\r\ncontent-disposition: form-data; name="file"; filename="f"\r\ncontent-type: text/plain\r\n\r\n${'x'.repeat(100_000)}`;

describe('An upload', () => {
  it.each([
    ['in the middle of its length', [...head, `content-length: ${begun.length + 1000}`], begun],
    [
      'in the middle of a chunk',
      [...head, 'transfer-encoding: chunked'],
      `${(begun.length + 9).toString(16)}\r\n${begun}`,
    ],
  ])('that is torn %s leaves nothing', async (_where, lines, body) => {
    await sendRaw(lines, body, () => stored().some((name) => name.startsWith('.draft-')));
    await soon(() => stored()).toEqual([]);
    expect((await client.files.list()).data).toEqual([]);
    expect((await test.get('/healthz')).status).toBe(200);
  });

  it('whose body ends without its last boundary is refused, and leaves nothing', async () => {
    const answer = await sendRaw([...head, `content-length: ${begun.length}`], begun);
    expect(answer).toContain('400 Bad Request');
    expect(answer).toContain('"code":"upload_incomplete"');
    expect(stored()).toEqual([]);
  });

  it('that is too large is refused, and leaves nothing', async () => {
    const file = await toFile(randomBytes(6_000_000), 'large');
    const error = await client.files.create({ purpose, file }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 413, code: 'file_too_large' });
    expect((error as Error).message).toContain('5000000 bytes');
    expect(stored()).toEqual([]);
  });

  it.each([
    ['no purpose', { file: new File(['x'], 'f') }, 'purpose'],
    ['a purpose that is none', { file: new File(['x'], 'f'), purpose: 'fun' }, 'purpose'],
    ['no file', { purpose: 'batch' }, 'file'],
    ['a field that is none', { file: new File(['x'], 'f'), purpose: 'batch', color: 'red' }, 'color'],
    ['a file in another field', { attachment: new File(['x'], 'f'), purpose: 'batch' }, 'attachment'],
    [
      'a lifetime that is too short',
      { file: new File(['x'], 'f'), purpose, 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '1' },
      'expires_after.seconds',
    ],
  ])('with %s is refused, and leaves nothing', async (_what, fields, param) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    const response = await fetch(`${test.url}/v1/files`, { method: 'POST', body: form });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', param } });
    expect(stored()).toEqual([]);
  });

  it('that is no multipart is refused', async () => {
    const response = await test.post('/v1/files', { purpose });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_media_type' } });
  });

  const disk = mountSmallDisk();
  it.runIf(disk !== undefined)('that finds the disk full is refused, and leaves room for smaller ones', async () => {
    const full = await openTestApi(redisUrl, { FILES_DIR: disk?.folder ?? '' });
    const own = openAiOf(full.url);
    try {
      const file = await toFile(randomBytes(20_000_000), 'large');
      await expect(own.files.create({ purpose, file })).rejects.toMatchObject({ status: 507, code: 'storage_full' });
      expect(stored(full)).toEqual([]);
      expect((await own.files.create({ purpose, file: await toFile(Buffer.from('small'), 's') })).bytes).toBe(5);
    } finally {
      await full.api.close();
      disk?.unmount();
    }
  });
});

describe('Files whose time is over', () => {
  const dutyParams = (now: () => number) => ({
    redis: test.mill.redis,
    keys: test.keys,
    store: new DiskStore(test.filesDir),
    now,
  });

  it('go, with their bytes', async () => {
    const id = await uploadLines(client, ['x']);
    const late = () => Date.now() + 25 * hour;
    expect(await fileRetentionDuty(dutyParams(() => Date.now() + 23 * hour)).run()).toBe(0);
    expect(await fileRetentionDuty(dutyParams(late)).run()).toBe(1);
    expect(stored()).toEqual([]);
    await expect(client.files.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });

  it('stay as long as a run reads them; so they do when somebody deletes them', async () => {
    // Nobody computes it: it stays open until it is cancelled.
    const id = await uploadLines(client, [embedLine('a', 'a')]);
    const batch = await createBatch(client, id);
    expect(await fileRetentionDuty(dutyParams(() => Date.now() + 25 * hour)).run()).toBe(0);
    const error = await client.files.delete(id).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 409, code: 'file_in_use' });
    expect(stored()).toEqual([id]);
    await client.batches.cancel(batch.id);
    await soon(async () => (await client.batches.retrieve(batch.id)).status).toBe('cancelled');
    expect(await fileRetentionDuty(dutyParams(() => Date.now() + 25 * hour)).run()).toBeGreaterThanOrEqual(2);
    await expect(client.batches.retrieve(batch.id)).rejects.toMatchObject({ status: 404, code: 'run_not_found' });
  });

  it('and what belongs to nothing goes, but not before its time', async () => {
    const id = await uploadLines(client, ['x']);
    const orphans = [
      'file-00000000-0000-4000-8000-000000000001',
      'part-00000000000000000000000000000001-000000-ab.out',
      '.draft-1',
    ];
    for (const name of [...orphans, 'not-ours']) writeFileSync(path.join(test.filesDir, name), 'x');
    const duty = orphanDuty(dutyParams(Date.now));
    expect(await duty.run()).toBe(0);
    const old = (Date.now() - 2 * hour) / 1000;
    for (const name of [...orphans, 'not-ours', id]) utimesSync(path.join(test.filesDir, name), old, old);
    expect(await duty.run()).toBe(3);
    expect(stored()).toEqual([id, 'not-ours'].sort());
    await new DiskStore(test.filesDir).delete('not-ours');
  });
});

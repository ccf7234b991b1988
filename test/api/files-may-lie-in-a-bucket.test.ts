import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  answersIn,
  contentOf,
  createBatch,
  embedLine,
  openAiOf,
  readBatch,
  untilBatch,
  untilEnded,
  uploadLines,
} from '../setup/run-files.ts';
import { type S3Server, startS3 } from '../setup/s3-server.ts';
import { openTestApi, type TestApi } from './open-test-api.ts';
import { openStandInWorker } from './stand-in-worker.ts';

const redisUrl = inject('redisUrl');
let bucket: S3Server;
beforeAll(async () => {
  bucket = await startS3();
});
afterAll(() => bucket.close());

async function open(): Promise<TestApi> {
  const { url, keyId, secret } = bucket;
  const FILES_DIR = '/nowhere/that/is';
  return await openTestApi(redisUrl, { FILES_S3: url, FILES_S3_KEY_ID: keyId, FILES_S3_SECRET: secret, FILES_DIR });
}

describe('Files in a bucket', () => {
  it('are uploaded, run, and read as those in a folder are', async () => {
    const test = await open();
    const worker = openStandInWorker(test);
    const client = openAiOf(test.url);
    const lines = Array.from({ length: 300 }, (_, index) => embedLine(`l-${index}`, `text ${index}`));
    const input = await uploadLines(client, lines);
    const batch = await untilEnded(client, (await createBatch(client, input)).id);
    expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 300, completed: 300, failed: 0 } });
    const answers = await answersIn(client, batch.output_file_id);
    expect(answers.map(({ custom_id }) => custom_id)).toEqual(lines.map((_, index) => `l-${index}`));
    expect((await contentOf(client, input)).toString()).toBe(`${lines.join('\n')}\n`);
    for (const id of [input, batch.output_file_id ?? '']) {
      await client.files.delete(id);
      await expect(client.files.content(id)).rejects.toMatchObject({ status: 404 });
    }
    expect(existsSync(test.filesDir)).toBe(false);
    await worker.close();
    await test.api.close();
  });

  it('that does not answer let a run wait, and refuse uploads and downloads with 503', async () => {
    const test = await open();
    const client = openAiOf(test.url);
    const input = await uploadLines(client, [embedLine('a', 'a')]);
    const { id } = await createBatch(client, input);
    // Nothing computes it yet: it stands in its work.
    await untilBatch(client, id, ({ status }) => status === 'in_progress');
    await bucket.stop();
    const worker = openStandInWorker(test);
    const unavailable = { status: 503, code: 'storage_unavailable' };
    await expect(uploadLines(client, ['x'])).rejects.toMatchObject(unavailable);
    await expect(client.files.content(input)).rejects.toMatchObject(unavailable);
    await untilBatch(client, id, ({ progress }) => progress.blocked?.code === 'STORAGE_UNAVAILABLE');
    expect((await readBatch(client, id)).status).toBe('in_progress');
    await worker.close();
    await test.api.close();
  });
});

import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../../../test/setup/mill.ts';
import { startWorker, stopProcesses } from '../../../test/setup/processes.ts';
import { book, chunksOf } from './chunk-texts.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
let mill: Millrace;

beforeAll(async () => {
  mill = new Millrace({ redisUrl, prefix });
  await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text' } });
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
});

describe('A worker for texts alone', () => {
  it('cuts texts into chunks, in order, without a runtime for models', async () => {
    const texts = [book.slice(0, 20_000), '', 'ü \ud800 👩‍👩‍👧‍👦'];
    const task = await mill.enqueue('text.chunk', { texts, maxTokens: 128, overlapTokens: 16 });
    const { chunks, model } = await task.result();
    expect(model).toBe('all-MiniLM-L6-v2');
    expect(chunks).toHaveLength(3);
    expect(chunks[0]).toEqual(await chunksOf(texts[0] ?? '', { maxTokens: 128, overlapTokens: 16 }));
    expect(chunks[1]).toEqual([]);
    expect(chunks[2]?.map(({ text }) => text)).toEqual([texts[2]]);
  });

  it('has the models that it may count by, and a task for another is refused at once', async () => {
    await expect(mill.enqueue('text.chunk', { texts: ['a'], model: 'org/none' })).rejects.toMatchObject({
      code: 'MODEL_NOT_AVAILABLE',
      message: expect.stringContaining('there are: all-MiniLM-L6-v2'),
    });
  });
});

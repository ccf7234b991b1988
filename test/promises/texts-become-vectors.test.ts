import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
let mill: Millrace;

const sayings = [
  { id: 'mill', text: 'The wheel of the mill turns as long as the water runs.' },
  { id: 'bread', text: 'A baker gets up before dawn to bake the bread.' },
  { id: 'rocket', text: 'The rocket left its launch pad and rose into orbit.' },
];

beforeAll(async () => {
  mill = new Millrace({ redisUrl, prefix });
  await mill.createCollection('sayings', { dimensions: 384, metric: 'cosine' });
  await mill.createCollection('narrow', { dimensions: 8, metric: 'cosine' });
  await startWorker({ redisUrl, prefix });
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
});

async function nearest(collection: string, text: string) {
  const task = await mill.enqueue('vector.search', { collection, texts: [text], topK: 1 });
  const { results } = await task.result({ timeoutMs: 20_000 });
  return results[0]?.hits[0];
}

describe('A text', () => {
  it('is embedded on its way into a collection, and as a query', async () => {
    const points = sayings.map(({ id, text }) => ({ id, text, metadata: { words: text.split(' ').length } }));
    const task = await mill.enqueue('vector.upsert', { collection: 'sayings', points }, { tags: ['sayings'] });
    const { upserted } = await task.result({ timeoutMs: 20_000 });
    expect(upserted).toBe(3);
    expect(await nearest('sayings', 'A spacecraft starts')).toMatchObject({ id: 'rocket', metadata: { words: 10 } });
    expect(await nearest('sayings', 'What does the stream drive?')).toMatchObject({ id: 'mill' });
    expect((await mill.collection('sayings')).fingerprint).toMatch(/^[0-9a-f]{32}$/);
  });

  it('goes beside vectors in one upsert', async () => {
    const [vector] = await mill.embed(['Cats chase mice in the barn.']);
    const points = [
      { id: 'cats', vector: Array.from(vector ?? []) },
      { id: 'dogs', text: 'Dogs bark at the postman.' },
    ];
    const task = await mill.enqueue('vector.upsert', { collection: 'sayings', points });
    await task.result({ timeoutMs: 20_000 });
    expect(await nearest('sayings', 'Cats chase mice in the barn.')).toMatchObject({ id: 'cats' });
    expect(await nearest('sayings', 'A dog barks')).toMatchObject({ id: 'dogs' });
  });

  it('fails its task with the reason when it cannot be embedded, and a retry tries again', async () => {
    const blank = await mill.enqueue(
      'vector.search',
      { collection: 'sayings', texts: ['   '], topK: 1 },
      { attempts: 1 },
    );
    await expect(blank.result({ timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const { error } = await mill.get(blank.id);
    expect(error).toMatchObject({ code: 'INVALID_INPUT' });
    expect(error?.message).toContain('inference.embed');
    await mill.retry(blank.id);
    await expect(blank.result({ timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('whose vector does not suit the collection fails, and says both lengths', async () => {
    const task = await mill.enqueue('vector.search', { collection: 'narrow', texts: ['wide'], topK: 1 });
    await expect(task.result({ timeoutMs: 20_000 })).rejects.toMatchObject({
      code: 'COLLECTION_MISMATCH',
      message: expect.stringContaining('a vector of 384 numbers, expected 8'),
    });
  });
});

import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cosine, directModel, mixedTexts, ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
let mill: Millrace;

beforeAll(async () => {
  mill = new Millrace({ redisUrl, prefix });
  // Without a memory, so that every vector is computed.
  await startWorker({ redisUrl, prefix, env: { FAMILIES: 'inference', SAME_TEXT_MEMORY: '0' } });
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
});

describe('A vector', () => {
  it('is the one that the model gives when it is called directly (cosine >= 0.99999)', async () => {
    const texts = mixedTexts(120);
    const embed = await directModel();
    const vectors = await mill.embed(texts);
    let least = 1;
    for (const [index, text] of texts.entries()) {
      least = Math.min(least, cosine(vectors[index] ?? [], await embed(text)));
    }
    expect(vectors).toHaveLength(texts.length);
    expect(least).toBeGreaterThanOrEqual(0.99999);
  });

  it('is the same to the last bit alone and in any batch', async () => {
    const texts = mixedTexts(60);
    const together = await mill.embed(texts);
    const reversed = (await mill.embed([...texts].reverse())).reverse();
    const alone = await Promise.all(
      texts.map(async (text) => {
        const task = await mill.enqueue('inference.embed', { texts: [text] });
        return (await task.result()).embeddings[0];
      }),
    );
    expect(reversed).toEqual(together);
    expect(alone).toEqual(together);
  });

  it('says when its text was longer than the model reads, and has length 1 unless told otherwise', async () => {
    const long = 'water '.repeat(1000);
    const task = await mill.enqueue('inference.embed', { texts: [long, 'short'], normalize: true });
    const raw = await mill.enqueue('inference.embed', { texts: ['short'], normalize: false });
    const normalized = await task.result();
    const { embeddings, fingerprint } = await raw.result();
    expect(normalized.truncated).toEqual([true, false]);
    expect(normalized.tokens).toEqual([1002, 3]);
    expect(normalized.dimensions).toBe(384);
    // 254 words, [CLS] and [SEP] are what the model reads of it.
    expect(normalized.embeddings[0]).toEqual((await mill.embed(['water '.repeat(254)]))[0]);
    expect(Math.hypot(...(normalized.embeddings[1] ?? []))).toBeCloseTo(1, 5);
    expect(Math.hypot(...(embeddings[0] ?? []))).toBeGreaterThan(1.5);
    expect(fingerprint).not.toBe(normalized.fingerprint);
  });
});

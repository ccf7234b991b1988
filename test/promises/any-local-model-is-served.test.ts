import { fileURLToPath } from 'node:url';
import { Millrace } from '@millrace/client';
import { createKeys } from '@millrace/shared/redis/keys';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { FakeHub } from '../setup/fake-hub.ts';
import { ownPrefix } from '../setup/mill.ts';
import { OwnModels } from '../setup/own-models.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const tiny = fileURLToPath(new URL('../models/tiny-embedder', import.meta.url));
const redis = new Redis(redisUrl);
let prefix: string;
let hub: FakeHub;
let models: OwnModels;
let mill: Millrace;

beforeAll(async () => {
  hub = (await FakeHub.start()).offer('org/tiny', tiny);
});
afterEach(async () => {
  await mill.close();
  await stopProcesses();
  models.remove();
});
afterAll(async () => {
  await hub.stop();
  redis.disconnect();
});

/** A worker with models of a test's own, one lane, and the client that speaks to it. */
async function start(own: OwnModels, env: Record<string, string> = {}) {
  models = own;
  prefix = ownPrefix();
  mill = new Millrace({ redisUrl, prefix });
  const fixed = { FAMILIES: 'inference', MODELS_DIR: own.dir, INFERENCE_LANES: '1' };
  return await startWorker({ redisUrl, prefix, env: { ...fixed, ...env } });
}

const registry = () => new WorkerRegistry(redis, createKeys(prefix));

const embed = async (model: string, texts = ['The wheel turns.']) => {
  const task = await mill.enqueue('inference.embed', { texts, model });
  return await task.result();
};

/** What the worker says of a model, once that is loaded, or no more. */
async function beatWith(name: string, warm: boolean) {
  const look = async () => (await registry().list())[0]?.models.find((model) => model.name === name);
  await expect.poll(async () => (await look())?.warm, { timeout: 20_000 }).toBe(warm);
  return await look();
}

describe('A model in the folder of the models', () => {
  it('is computed beside others, goes when the memory is for others, and comes back', async () => {
    const names = ['a', 'b', 'c'];
    const own = new OwnModels().link();
    for (const name of names) own.link(name);
    // The bundled one takes about 77 MB by estimate: there is room for two.
    await start(own, { MODEL_MEMORY: String(160 * 2 ** 20) });
    const [first, ...others] = await Promise.all(names.map(async (name) => await embed(name)));
    for (const other of others) expect(other?.embeddings).toEqual(first?.embeddings);
    expect([first, ...others].map((result) => result?.model)).toEqual(names);
    await beatWith('all-MiniLM-L6-v2', false);
    const { embeddings, fingerprint } = await embed('all-MiniLM-L6-v2');
    expect(embeddings).toEqual(first?.embeddings);
    expect(await beatWith('all-MiniLM-L6-v2', true)).toMatchObject({ fingerprint, pinned: true });
  });

  it('is refused by the name of the file that is not the one that was pinned, and the others go on', async () => {
    await start(new OwnModels().link().copy('changed').flip('changed', 'onnx/model_quantized.onnx', 1_000_000));
    await expect(embed('changed')).rejects.toMatchObject({
      code: 'MODEL_DAMAGED',
      message: expect.stringContaining('onnx/model_quantized.onnx is not the file that was pinned'),
    });
    expect((await embed('all-MiniLM-L6-v2')).dimensions).toBe(384);
  });

  it('that is not there is refused at once, with what to do', async () => {
    await start(new OwnModels().link());
    const error = await embed('org/tiny').catch((caught) => caught);
    expect(error).toMatchObject({ code: 'MODEL_NOT_AVAILABLE' });
    expect(error.message).toContain('No worker has the model "org/tiny"; there are: all-MiniLM-L6-v2.');
    expect(error.message).toContain('put it below MODELS_DIR');
    expect(error.message).toContain('ALLOW_REMOTE_MODELS');
  });
});

describe('A model that no worker had when its task was enqueued', () => {
  it('is waited for, and its task is computed when the model has come', async () => {
    const own = new OwnModels().link();
    const worker = start(own);
    // Nobody lives yet who could say which models there are.
    const task = await mill.enqueue('inference.embed', { texts: ['a good day'], model: 'late' });
    await worker;
    await expect.poll(async () => (await task.read()).state, { timeout: 20_000 }).toBe('scheduled');
    own.copy('late', 'tiny-embedder');
    expect((await task.result()).dimensions).toBe(32);
  });
});

describe('A model of the hub', () => {
  it('is brought when a worker may, while other work goes on, and is a local model from then on', async () => {
    const worker = await start(new OwnModels().link(), { ALLOW_REMOTE_MODELS: 'org/*', MODEL_HUB: hub.url });
    const results = await Promise.all([embed('org/tiny'), embed('org/tiny', ['other']), embed('all-MiniLM-L6-v2')]);
    expect(results.map(({ dimensions }) => dimensions)).toEqual([32, 32, 384]);
    await worker.logged('model.came');
    expect(hub.requests.filter((url) => url.startsWith('/api/models/org/tiny'))).toHaveLength(1);
    expect(await beatWith('org/tiny', true)).toMatchObject({ pinned: true });
    const [beat] = await registry().list();
    expect(beat?.remoteModels).toEqual(['org/*']);
    await expect(embed('other/tiny')).rejects.toMatchObject({ code: 'MODEL_NOT_AVAILABLE' });
  });

  it('that does not come fails its tasks with the reason', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    await start(new OwnModels().link(), { ALLOW_REMOTE_MODELS: 'true', MODEL_HUB: url });
    await expect(embed('org/tiny')).rejects.toMatchObject({
      code: 'MODEL_NOT_AVAILABLE',
      message: expect.stringContaining(`cannot be loaded from ${url}: it does not answer`),
    });
    expect((await embed('all-MiniLM-L6-v2')).dimensions).toBe(384);
  });
});

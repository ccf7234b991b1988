import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/redis/free-port.mjs';
import { FakeHub } from '../../../test/setup/fake-hub.ts';
import { OwnModels } from '../../../test/setup/own-models.ts';
import { transformersRuntime } from '../src/inference/runtimes/transformers.ts';
import { Hub } from '../src/models/hub/hub.ts';
import { openModel } from '../src/models/model-folder.ts';
import { ModelStore } from '../src/models/model-store.ts';

const tiny = fileURLToPath(new URL('../../../test/models/tiny-embedder', import.meta.url));
let hub: FakeHub;
let models: OwnModels;
let lines: { readonly event: string }[];
let clock = 0;

beforeEach(async () => {
  hub = (await FakeHub.start()).offer('org/tiny', tiny);
  models = new OwnModels();
  lines = [];
});
afterEach(async () => {
  await hub.stop();
  models.remove();
});

interface Options {
  readonly allowed?: readonly string[];
  readonly url?: string;
  readonly patienceMs?: number;
}

function storeOf({ allowed = ['*'], url = hub.url, patienceMs = 10_000 }: Options = {}): ModelStore {
  const log = {
    info: (facts: { event: string }) => lines.push(facts),
    warn: (facts: { event: string }) => lines.push(facts),
  };
  return new ModelStore({
    modelsDir: models.dir,
    hub: new Hub({ url, patienceMs }),
    allowed,
    log: log as unknown as ConstructorParameters<typeof ModelStore>[0]['log'],
    now: () => clock,
  });
}

/** Undefined when the model is there afterwards, else why it is not. */
const bring = async (store: ModelStore, model = 'org/tiny') =>
  await store.find(model)?.then(
    (there) => (there ? undefined : new Error('it may not come')),
    (caught) => caught,
  );
const inFolder = (folder = '') => readdirSync(path.join(models.dir, folder)).sort();

describe('A model that is missing', () => {
  it('comes from the hub when it may, is a local model then, and is pinned', async () => {
    const store = storeOf();
    expect(await bring(store)).toBeUndefined();
    expect(store.models).toEqual([{ name: 'org/tiny', pinned: true }]);
    expect(inFolder('org/tiny')).toEqual([
      '1_Pooling',
      'SHA256SUMS',
      'config.json',
      'onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(inFolder('.incoming')).toEqual([]);
    const folder = await openModel({ modelsDir: models.dir, model: 'org/tiny' });
    expect([folder.pinned, folder.settings.pooling]).toEqual([true, 'cls']);
    const embedder = await transformersRuntime({ modelsDir: models.dir, threads: 1 }).loadEmbedder(folder);
    expect(embedder.dimensions).toBe(32);
    expect(lines.map(({ event }) => event)).toEqual(['model.coming', 'model.came']);
  });

  it('comes once, however many wait for it, and is not asked for again', async () => {
    const store = storeOf();
    await Promise.all(Array.from({ length: 5 }, async () => await bring(store)));
    expect(hub.requests.filter((url) => url.startsWith('/api/'))).toHaveLength(1);
    expect(store.find('org/tiny')).toBeUndefined();
  });

  it('comes whole when several workers bring it at once', async () => {
    const stores = Array.from({ length: 4 }, () => storeOf());
    expect(await Promise.all(stores.map(async (store) => await bring(store)))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect((await openModel({ modelsDir: models.dir, model: 'org/tiny' })).pinned).toBe(true);
    expect(inFolder('.incoming')).toEqual([]);
  });

  it('of which another kind of ONNX file is there comes with one kind alone', async () => {
    hub.offer('bundled', models.copy('source').drop('source', 'SHA256SUMS').path('source', ''));
    models.write('source', 'onnx/model.onnx', 'large').write('source', 'onnx/model_fp16.onnx', 'large');
    expect(await bring(storeOf(), 'bundled')).toBeUndefined();
    expect(inFolder('bundled/onnx')).toEqual(['model_quantized.onnx']);
    expect(inFolder('bundled')).not.toContain('README.md');
  });

  it.each([
    [[], false],
    [['org/tiny'], true],
    [['org/*'], true],
    [['or/*', 'org/tin', 'orgs/*'], false],
    [['*'], true],
  ])('may come when it is among %j: %s', async (allowed, may) => {
    expect(await storeOf({ allowed }).find('org/tiny')).toBe(may);
    expect(hub.requests.length > 0).toBe(may);
  });
});

describe('A model that does not come', () => {
  it('because nobody answers fails with the reason, and is asked for again later', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const store = storeOf({ url });
    const error = await bring(store);
    expect(error).toMatchObject({ code: 'MODEL_NOT_AVAILABLE' });
    expect(error.message).toBe(
      `Model org/tiny cannot be loaded from ${url}: it does not answer (connect ECONNREFUSED ${url.slice('http://'.length)}).`,
    );
    expect(await bring(store)).toBe(error);
    clock += 10_000;
    const later = await bring(store);
    expect(later).not.toBe(error);
    expect(later).toMatchObject({ code: 'MODEL_NOT_AVAILABLE' });
  });

  it('because the hub is silent fails when patience is over', async () => {
    hub.trouble = { silent: true };
    expect((await bring(storeOf({ patienceMs: 50 }))).message).toContain(
      'it does not answer (nothing came within 50 ms)',
    );
  });

  it('because the hub falls silent in the middle of a file fails, and leaves nothing behind', async () => {
    hub.trouble = { stalls: 'onnx/model.onnx' };
    expect((await bring(storeOf({ patienceMs: 200 }))).message).toContain(
      'onnx/model.onnx broke off (nothing came within 200 ms)',
    );
    expect([...inFolder(), ...inFolder('.incoming')]).toEqual(['.incoming']);
  });

  it('because a file is not the one that the hub names fails by its name', async () => {
    hub.trouble = { garbles: 'onnx/model.onnx' };
    expect((await bring(storeOf())).message).toMatch(
      /^Model org\/tiny: onnx\/model\.onnx did not come whole from the hub: its SHA-256 is /,
    );
    expect(inFolder('.incoming')).toEqual([]);
  });

  it('because the hub does not have it, or has no network of it, says so', async () => {
    expect((await bring(storeOf(), 'org/nobody')).message).toContain('it has no such model for everybody');
    hub.offer(
      'org/weights',
      models.copy('org/source', 'tiny-embedder').drop('org/source', 'onnx').path('org/source', ''),
    );
    expect((await bring(storeOf(), 'org/weights')).message).toContain('has no onnx/model.onnx on the hub');
    hub.trouble = { status: 503 };
    expect((await bring(storeOf())).message).toContain('it answers with 503');
  });
});

describe('A model that is put there later', () => {
  it('is found as soon as somebody wants it', async () => {
    const store = storeOf({ allowed: [] });
    await store.look();
    expect(await store.find('late')).toBe(false);
    models.copy('late', 'tiny-embedder');
    expect(await store.find('late')).toBe(true);
    expect(store.find('late')).toBeUndefined();
  });
});

describe('A model that nobody pinned', () => {
  it('is named once in the log, with what to do', async () => {
    models.copy('plain', 'tiny-embedder').link('pinned');
    const store = storeOf();
    await store.look();
    await store.look();
    expect(lines).toEqual([{ event: 'model.unpinned', model: 'plain' }]);
    expect(readFileSync(models.path('pinned', 'SHA256SUMS'), 'utf8')).toContain('config.json');
  });
});

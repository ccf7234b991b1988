import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OwnModels } from '../../../test/setup/own-models.ts';
import { estimateMemory } from '../src/inference/model-memory.ts';
import { Models } from '../src/inference/models.ts';
import type { ModelRuntime } from '../src/inference/runtime.ts';
import { transformersRuntime } from '../src/inference/runtimes/transformers.ts';
import { openModel } from '../src/models/model-folder.ts';

const folders = new OwnModels();
/** What the bundled model is taken to need, in bytes. */
let each = 0;
/** What was loaded and what was given back, in order. */
let log: string[] = [];
let clock = 0;

beforeAll(async () => {
  for (const name of ['a', 'b', 'c', 'd']) folders.link(name);
  folders.copy('broken').tear('broken', 'tokenizer.json').copy('classes', 'tiny-text-classifier');
  each = estimateMemory(await openModel({ modelsDir: folders.dir, model: 'a' }));
});
afterAll(() => folders.remove());
beforeEach(() => {
  log = [];
  clock = 0;
});

/** The real runtime, which notes what it does. */
function notingRuntime(): ModelRuntime {
  const runtime = transformersRuntime({ modelsDir: folders.dir, threads: 1 });
  const note = <Network extends { dispose(): Promise<void> }>(name: string, network: Network): Network => {
    const dispose = network.dispose.bind(network);
    network.dispose = async () => {
      log.push(`-${name}`);
      await dispose();
    };
    return network;
  };
  return {
    loadEmbedder: async (folder) => {
      log.push(`+${folder.name}`);
      return note(folder.name, await runtime.loadEmbedder(folder));
    },
    loadClassifier: async (folder) => note(folder.name, await runtime.loadClassifier(folder)),
    loadPipeline: async (pipeline, folder) => note(folder.name, await runtime.loadPipeline(pipeline, folder)),
  };
}

/** Models with room for so many of the bundled one. */
function modelsFor(count: number): Models {
  return new Models({ runtime: notingRuntime(), modelsDir: folders.dir, memoryLimit: count * each, now: () => clock });
}

async function use(models: Models, ...names: string[]): Promise<void> {
  for (const name of names) {
    const embedder = await models.embedder(name);
    expect((await embedder.embed([embedder.tokenize('The wheel turns.')])).length).toBe(384);
    await models.endCall();
  }
}

describe('The models of a lane', () => {
  it('stay loaded as long as they fit; then the one goes that was not used for longest', async () => {
    const models = modelsFor(2);
    await use(models, 'a', 'b', 'a', 'b');
    expect(log).toEqual(['+a', '+b']);
    await use(models, 'a', 'c');
    expect(log).toEqual(['+a', '+b', '-b', '+c']);
    expect(models.loaded.map(({ name }) => name)).toEqual(['a', 'c']);
    await use(models, 'b');
    expect(models.loaded.map(({ name }) => name)).toEqual(['c', 'b']);
  });

  it('are never let go of while a call has them in use, and go when it has ended', async () => {
    const models = modelsFor(2);
    await use(models, 'a');
    const held = await Promise.all(['b', 'c', 'd'].map(async (name) => await models.embedder(name)));
    expect(log.filter((entry) => entry.startsWith('-'))).toEqual(['-a']);
    const vectors = await Promise.all(held.map(async (embedder) => await embedder.embed([embedder.tokenize('water')])));
    expect(vectors[1]).toEqual(vectors[0]);
    expect(vectors[2]).toEqual(vectors[0]);
    await models.endCall();
    expect(log.filter((entry) => entry.startsWith('-'))).toEqual(['-a', '-b']);
  });

  it('are loaded once, however many ask at the same time', async () => {
    const models = modelsFor(2);
    const [one, ...others] = await Promise.all(Array.from({ length: 8 }, async () => await models.embedder('a')));
    expect(log).toEqual(['+a']);
    for (const other of others) expect(other).toBe(one);
  });

  it('are loaded once for each use, and told with the fingerprint of that use', async () => {
    const models = modelsFor(2);
    const classifier = await models.classifier('classes');
    const embedder = await models.embedder('a');
    const pipeline = await models.pipeline('text-classification', 'classes');
    expect(await models.classifier('classes')).toBe(classifier);
    expect(models.loaded).toEqual([
      { name: 'a', fingerprint: embedder.fingerprint(true) },
      { name: 'classes', fingerprint: pipeline.fingerprint() },
      { name: 'classes', fingerprint: classifier.fingerprint() },
    ]);
  });

  it('fail by name when they do not load, soon again without another look, and are tried again later', async () => {
    const models = modelsFor(2);
    const error = await models.embedder('broken').catch((caught) => caught);
    expect(error).toMatchObject({ code: 'MODEL_DAMAGED' });
    expect(await models.embedder('broken').catch((caught) => caught)).toBe(error);
    expect(models.loaded).toEqual([]);
    folders.drop('broken', '').copy('broken');
    expect(await models.embedder('broken').catch((caught) => caught)).toBe(error);
    clock += 1000;
    await use(models, 'broken');
    expect(log).toEqual(['+broken']);
  });

  it('are refused when one alone needs more than there is, with both numbers, before it is loaded', async () => {
    const models = modelsFor(0.9);
    const needs = Math.ceil(each / 2 ** 20);
    await expect(models.embedder('a')).rejects.toThrow(
      `Model a needs about ${needs} MiB of memory, and MODEL_MEMORY of the workers is ${Math.ceil((0.9 * each) / 2 ** 20)} MiB`,
    );
    expect(log).toEqual([]);
  });
});

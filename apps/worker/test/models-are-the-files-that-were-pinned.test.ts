import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OwnModels } from '../../../test/setup/own-models.ts';
import { transformersRuntime } from '../src/inference/runtimes/transformers.ts';
import { readThrough } from '../src/models/file-hash.ts';
import { listModels } from '../src/models/list-models.ts';
import { openModel } from '../src/models/model-folder.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const network = 'onnx/model_quantized.onnx';
/** Not everywhere. */
const checker = 'sha256sum';
let models: OwnModels;

beforeEach(() => {
  models = new OwnModels();
});
afterEach(() => models.remove());

const open = async (model: string) => await openModel({ modelsDir: models.dir, model });
const pin = (...names: string[]) =>
  execFileSync(process.execPath, ['scripts/pin-model.mjs', ...names], {
    cwd: root,
    env: { MODELS_DIR: models.dir },
    encoding: 'utf8',
  });

describe('A model whose files are pinned', () => {
  it('opens when they are the ones that were pinned, wherever they lie', async () => {
    models.link('linked').copy('org/copied');
    const [linked, copied] = [await open('linked'), await open('org/copied')];
    expect([linked.pinned, copied.pinned]).toEqual([true, true]);
    expect(linked.filesHash).toBe(copied.filesHash);
  });

  it.each(['config.json', 'tokenizer.json', 'tokenizer_config.json', network])(
    'is refused by the name of %s when one bit of it is another, with both hashes',
    async (file) => {
      const { sha256 } = await readThrough(models.copy('m').path('m', file));
      models.flip('m', file);
      const found = await readThrough(models.path('m', file));
      const error = await open('m').catch((caught) => caught);
      expect(error).toMatchObject({ code: 'MODEL_DAMAGED' });
      expect(error.message).toContain(`Model m: ${file} is not the file that was pinned`);
      expect(error.message).toContain(`its SHA-256 is ${found.sha256}, not ${sha256}`);
    },
  );

  it.each(['config.json', network])('is refused by the name of %s when it is torn', async (file) => {
    models.copy('m').tear('m', file);
    await expect(open('m')).rejects.toThrow(`Model m: ${file} is not the file that was pinned`);
  });

  it('is refused when a file is missing, or is there and was not pinned', async () => {
    models.copy('m').drop('m', 'special_tokens_map.json');
    await expect(open('m')).rejects.toThrow('Model m: special_tokens_map.json is pinned and not there.');
    models.copy('n').write('n', 'millrace.json', { pooling: 'cls' });
    await expect(open('n')).rejects.toThrow('Model n: millrace.json is not pinned by SHA256SUMS.');
  });

  it('is refused when the pins cannot be read', async () => {
    writeFileSync(models.copy('m').path('m', 'SHA256SUMS'), 'deadbeef config.json\n');
    await expect(open('m')).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });
});

describe('npm run models:pin', () => {
  it('pins what a worker checks and sha256sum -c understands, and pins a change anew', async () => {
    models.copy('org/m', 'tiny-embedder');
    expect((await open('org/m')).pinned).toBe(false);
    expect(pin('org/m')).toContain('files pinned in');
    expect((await open('org/m')).pinned).toBe(true);
    const check = spawnSync(checker, ['-c', 'SHA256SUMS'], { cwd: path.join(models.dir, 'org/m') });
    if (check.error === undefined) expect(check.status).toBe(0);
    models.write('org/m', 'millrace.json', { pooling: 'mean' });
    await expect(open('org/m')).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
    expect(pin('org/m')).toContain('pinned anew');
    expect((await open('org/m')).settings.pooling).toBe('mean');
    expect(pin('org/m')).toContain('pinned as before');
  });

  it('makes of the bundled model the pins that come with it', async () => {
    const shipped = readFileSync(models.copy('m').path('m', 'SHA256SUMS'), 'utf8');
    models.drop('m', 'SHA256SUMS');
    pin('m');
    expect(readFileSync(models.path('m', 'SHA256SUMS'), 'utf8')).toBe(shipped);
  });

  it('says what is wrong when it is given no model', () => {
    const run = (...names: string[]) =>
      spawnSync(process.execPath, ['scripts/pin-model.mjs', ...names], { cwd: root, encoding: 'utf8' });
    expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining('npm run models:pin -- NAME') });
    expect(run('nobody')).toMatchObject({ status: 1, stderr: expect.stringContaining('There is no model nobody') });
  });
});

describe('A model whose files are not pinned', () => {
  it('is listed as such, and opens', async () => {
    models.copy('plain').drop('plain', 'SHA256SUMS').copy('pinned').copy('.hidden');
    expect(await listModels(models.dir)).toEqual([
      { name: 'pinned', pinned: true },
      { name: 'plain', pinned: false },
    ]);
    expect((await open('plain')).pinned).toBe(false);
  });

  it('has another hash of its files whenever one of them is another', async () => {
    models.copy('m').drop('m', 'SHA256SUMS');
    const before = (await open('m')).filesHash;
    appendFileSync(models.path('m', 'README.md'), 'not a part of the model');
    expect((await open('m')).filesHash).toBe(before);
    appendFileSync(models.path('m', 'tokenizer_config.json'), ' ');
    expect((await open('m')).filesHash).not.toBe(before);
  });

  it.each(['config.json', 'tokenizer.json', 'tokenizer_config.json', network])(
    'is refused by the name of %s when that is torn',
    async (file) => {
      models.copy('m').drop('m', 'SHA256SUMS').tear('m', file);
      const load = async () =>
        await transformersRuntime({ modelsDir: models.dir, threads: 1 }).loadEmbedder(await open('m'));
      const error = await load().catch((caught) => caught);
      expect(error).toMatchObject({ code: 'MODEL_NOT_AVAILABLE' });
      expect(error.message).toMatch(/^Model m does not load: /);
      expect(error.message).toContain(file);
    },
  );

  it('is refused when a file that it needs is not there, with its name', async () => {
    models.copy('m').drop('m', 'SHA256SUMS').drop('m', 'tokenizer.json');
    await expect(open('m')).rejects.toThrow('Model m does not load: tokenizer.json: is not there');
    models.copy('n').drop('n', 'SHA256SUMS').drop('n', network);
    await expect(open('n')).rejects.toThrow('Model n does not load: onnx/: has no model.onnx');
  });
});

describe('A model that is not there', () => {
  it.each(['nobody', 'org/nobody'])('is refused with what to do: %s', async (name) => {
    const error = await open(name).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'MODEL_NOT_AVAILABLE' });
    expect(error.message).toContain(`There is no model ${name}`);
    expect(error.message).toContain('below MODELS_DIR: put it there');
    expect(error.message).toContain('ALLOW_REMOTE_MODELS');
  });

  it.each(['../models', 'a/../../b', '/etc', '.', '..', 'a/b/c', ''])(
    'is never looked for outside of MODELS_DIR: %j',
    async (name) => {
      await expect(open(name)).rejects.toThrow('is no name of a model');
    },
  );
});

describe('Words in a file', () => {
  it('are found wherever they stand, also across what is read at a time', async () => {
    const file = path.join(models.dir, 'file');
    const chunk = 1 << 20;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -12, max: 12 }), fc.boolean(), async (shift, there) => {
        const bytes = Buffer.alloc(2 * chunk + 5, 'x');
        if (there) bytes.write('DynamicQuantize', chunk + shift - 7);
        writeFileSync(file, bytes);
        expect((await readThrough(file, 'DynamicQuantize')).found).toBe(there);
      }),
      { numRuns: 25 },
    );
  });
});

import { appendFileSync, renameSync } from 'node:fs';
import { type EmbedValue, embed } from '@millrace/shared/tasks/inference/embed';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { cosine, mixedTexts } from '../../../test/setup/mill.ts';
import { OwnModels } from '../../../test/setup/own-models.ts';
import { embedProcessor } from '../src/inference/embed.ts';
import { Models } from '../src/inference/models.ts';
import type { Embedder } from '../src/inference/runtime.ts';
import { pool } from '../src/inference/runtimes/pool.ts';
import { transformersRuntime } from '../src/inference/runtimes/transformers.ts';
import { openModel } from '../src/models/model-folder.ts';

/** A model that takes no token_type_ids, has positions for 64 tokens, and pools by [CLS] as 1_Pooling says; not pinned. */
const tiny = 'tiny-embedder';
let models: OwnModels;

beforeEach(() => {
  models = new OwnModels();
});
afterEach(() => models.remove());

const open = async (model = 'm') => await openModel({ modelsDir: models.dir, model });
const load = async (model = 'm'): Promise<Embedder> =>
  await transformersRuntime({ modelsDir: models.dir, threads: 1 }).loadEmbedder(await open(model));

/** The values of a task, as a lane computes it. */
async function compute(task: z.input<typeof embed.input>): Promise<readonly EmbedValue[]> {
  const runtime = transformersRuntime({ modelsDir: models.dir, threads: 1 });
  const lane = new Models({ runtime, modelsDir: models.dir, memoryLimit: 2 ** 30, now: Date.now });
  const context = { count: () => {}, signal: new AbortController().signal };
  const items = embed.items(embed.input.parse(task));
  const outcomes = await embedProcessor({ models: lane, passTokens: 512 }).process(items, context);
  return outcomes.map((outcome) => {
    if (outcome.ok) return outcome.value;
    throw new Error(`${outcome.code}: ${outcome.message}`);
  });
}

describe('Pooling', () => {
  const hidden = { data: Float32Array.of(1, -2, 3, 4, 9, 9, 5, 6, 7, 8, 9, 10), width: 3, dimensions: 2 };
  it.each([
    ['mean', [2, 1, 7, 8]],
    ['max', [3, 4, 9, 10]],
    ['cls', [1, -2, 5, 6]],
    ['last', [3, 4, 9, 10]],
  ] as const)('by %s looks at the tokens of each text alone, never at its padding', (pooling, expected) => {
    expect([...pool(pooling, hidden, [2, 3])]).toEqual(expected);
  });

  it("is that of sentence-transformers' files, else the mean", async () => {
    expect((await open(models.copy('m', tiny) && 'm')).settings.pooling).toBe('cls');
    models.write('m', '1_Pooling/config.json', { pooling_mode_cls_token: false, pooling_mode_lasttoken: true });
    expect((await open()).settings.pooling).toBe('last');
    models.drop('m', '1_Pooling');
    expect((await open()).settings.pooling).toBe('mean');
  });

  it('is that of millrace.json before any other, and shows in the vector and its fingerprint', async () => {
    models.copy('m', tiny).copy('n', tiny).write('n', 'millrace.json', { pooling: 'mean' });
    const [byCls, byMean] = [await load('m'), await load('n')];
    const [cls, mean] = [
      await byCls.embed([byCls.tokenize('a good day')]),
      await byMean.embed([byMean.tokenize('a good day')]),
    ];
    expect(cosine(cls, mean)).toBeLessThan(0.999);
    expect(byCls.fingerprint(true)).not.toBe(byMean.fingerprint(true));
  });

  it('that Millrace does not have is refused, with where it stands and what to do', async () => {
    models.copy('m', tiny).write('m', '1_Pooling/config.json', { pooling_mode_weightedmean_tokens: true });
    await expect(open()).rejects.toThrow(
      'Model m does not load: 1_Pooling/config.json: wants pooling_mode_weightedmean_tokens: name a pooling in millrace.json',
    );
    models.write('m', 'modules.json', [
      { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
      { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
      { idx: 2, name: '2', path: '2_Dense', type: 'sentence_transformers.models.Dense' },
    ]);
    await expect(open()).rejects.toThrow('modules.json: wants sentence_transformers.models.Dense');
    models.write('m', 'millrace.json', { pooling: 'mean' });
    expect((await open()).settings.pooling).toBe('mean');
  });

  it('by the network itself is refused when it does not', async () => {
    models.copy('m', tiny).write('m', 'millrace.json', { pooling: 'model' });
    await expect(load()).rejects.toThrow('it gives last_hidden_state, and none of sentence_embedding');
  });
});

describe('What a model reads of a text', () => {
  it('is what millrace.json says, else sentence_bert_config.json, else 256, and never more than it has positions for', async () => {
    models.copy('big').drop('big', 'SHA256SUMS').copy('small', tiny);
    expect((await open('big')).settings.tokenLimits).toEqual({ embed: 256, classify: 512, pipeline: 512 });
    expect((await open('small')).settings.tokenLimits).toEqual({ embed: 64, classify: 64, pipeline: 64 });
    models.write('big', 'sentence_bert_config.json', { max_seq_length: 128, do_lower_case: false });
    expect((await open('big')).settings.tokenLimits.embed).toBe(128);
    models.write('big', 'millrace.json', { tokenLimit: 32 }).write('small', 'millrace.json', { tokenLimit: 100_000 });
    expect((await open('big')).settings.tokenLimits.embed).toBe(32);
    expect((await open('small')).settings.tokenLimits.embed).toBe(64);
  });

  it('counts the positions that RoBERTa keeps for padding', async () => {
    models
      .copy('m', tiny)
      .write('m', 'config.json', { model_type: 'roberta', max_position_embeddings: 514, pad_token_id: 1 });
    models.write('m', 'tokenizer_config.json', { model_max_length: 1e30 });
    expect((await open()).settings.tokenLimits.pipeline).toBe(512);
  });

  it('is told of every text: what is longer says so, and changes nothing behind the limit', async () => {
    models.copy('m', tiny).write('m', 'millrace.json', { tokenLimit: 8 });
    const texts = ['good good good good good good', 'good good good good good good good', 'good'];
    const values = await compute({ texts, model: 'm' });
    expect(values.map(({ tokens, truncated }) => [tokens, truncated])).toEqual([
      [8, false],
      [9, true],
      [3, false],
    ]);
    expect(values[1]?.vector).toEqual(values[0]?.vector);
  });
});

describe('A purpose', () => {
  const prefixes = { query: 'good ', document: 'bad bad ' };

  it('puts the prefix of the model in front of the text', async () => {
    models.copy('m', tiny).write('m', 'millrace.json', { prefixes });
    const [query] = await compute({ texts: ['bad'], model: 'm', purpose: 'query' });
    const [document] = await compute({ texts: ['bad'], model: 'm', purpose: 'document' });
    const [plain, written] = await compute({ texts: ['bad', 'good bad'], model: 'm' });
    expect(query?.vector).toEqual(written?.vector);
    expect([plain, query, document].map((value) => value?.tokens)).toEqual([3, 4, 5]);
    // They are meant to be compared with each other: one model, one fingerprint.
    expect(new Set([query, document, plain].map((value) => value?.fingerprint)).size).toBe(1);
  });

  it("has the prefix of sentence-transformers' prompts where millrace.json has none", async () => {
    models.copy('m', tiny).write('m', 'config_sentence_transformers.json', {
      prompts: { query: 'query: ', passage: 'passage: ' },
      default_prompt_name: null,
    });
    expect((await open()).settings.prefixes).toEqual({ query: 'query: ', document: 'passage: ' });
    models.write('m', 'millrace.json', { prefixes: { query: 'q ' } });
    expect((await open()).settings.prefixes).toEqual({ query: 'q ', document: 'passage: ' });
  });

  it('changes nothing with a model that has no prefixes', async () => {
    models.link('m');
    const [[query], [plain]] = [
      await compute({ texts: ['morning'], model: 'm', purpose: 'query' }),
      await compute({ texts: ['morning'], model: 'm' }),
    ];
    expect(query).toEqual(plain);
  });
});

describe('Whether a vector has length 1', () => {
  it('is what the task says, else millrace.json, else modules.json, else yes', async () => {
    models.copy('m', tiny);
    expect((await open()).settings.normalize).toBe(true);
    models.write('m', 'modules.json', [{ type: 'sentence_transformers.models.Transformer', path: '' }]);
    expect((await open()).settings.normalize).toBe(false);
    models.write('m', 'millrace.json', { normalize: true });
    expect((await open()).settings.normalize).toBe(true);
    models.write('m', 'millrace.json', { normalize: false });
    const length = async (normalize?: boolean) => {
      const [value] = await compute({
        texts: ['a good day'],
        model: 'm',
        ...(normalize === undefined ? {} : { normalize }),
      });
      return Math.hypot(...(value?.vector ?? []));
    };
    expect(await length()).toBeGreaterThan(1.5);
    expect(await length(true)).toBeCloseTo(1, 5);
  });
});

describe('The ONNX file', () => {
  it('is that of millrace.json, else the quantized one, else the full one', async () => {
    models.copy('m', tiny);
    expect(await open()).toMatchObject({ dtype: 'fp32', weights: ['onnx/model.onnx'] });
    models.write('m', 'millrace.json', { dtype: 'fp16' });
    await expect(open()).rejects.toThrow('onnx/: has no network of dtype fp16, which millrace.json asks for');
    renameSync(models.path('m', 'onnx/model.onnx'), models.path('m', 'onnx/model_fp16.onnx'));
    expect(await open()).toMatchObject({ dtype: 'fp16', weights: ['onnx/model_fp16.onnx'] });
    expect((await load()).dimensions).toBe(32);
  });

  it('is hashed with the weights beside it', async () => {
    models
      .copy('m', tiny)
      .write('m', 'onnx/model.onnx_data', 'weights')
      .write('m', 'onnx/model_quantized.txt', 'no weights');
    const before = await open();
    expect(before.weights).toEqual(['onnx/model.onnx', 'onnx/model.onnx_data']);
    models.write('m', 'onnx/model.onnx_data', 'others');
    expect((await open()).filesHash).not.toBe(before.filesHash);
  });

  it('that quantizes the activations of a batch together computes each text by itself, unless millrace.json says otherwise', async () => {
    models.copy('m', tiny);
    const shared = await load();
    // A doc_string (field 6 of a ModelProto): it names the operator, and the network stays what it was.
    const name = 'DynamicQuantizeLinear';
    appendFileSync(models.path('m', 'onnx/model.onnx'), Buffer.from([0x32, name.length, ...Buffer.from(name)]));
    const alone = await load();
    expect([shared.batches, alone.batches]).toEqual([true, false]);
    const texts = mixedTexts(5).map((text) => alone.tokenize(text));
    const one = texts[3];
    const vector = one === undefined ? undefined : await alone.embed([one]);
    expect((await alone.embed(texts)).slice(3 * 32, 4 * 32)).toEqual(vector);
    models.write('m', 'millrace.json', { batches: true });
    expect((await open()).batches).toBe(true);
  });

  it.each([
    ['pooling', { pooling: 'median' }],
    ['tokenLimit', { tokenLimit: 1 }],
    ['', { poolings: 'mean' }],
  ])('is not looked for when millrace.json is wrong: %s', async (field, own) => {
    models.copy('m', tiny).write('m', 'millrace.json', own);
    await expect(open()).rejects.toThrow(`Model m does not load: millrace.json: ${field}`);
  });
});

import { fileURLToPath } from 'node:url';
import { AutoTokenizer, type PreTrainedTokenizer } from '@huggingface/transformers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { transformersRuntime } from '../src/inference/runtimes/transformers.ts';
import { TextTokenizer } from '../src/inference/runtimes/transformers-tokenizer.ts';
import { openModel } from '../src/models/model-folder.ts';

const modelsDir = fileURLToPath(new URL('../../../test/models', import.meta.url));
const bundledDir = fileURLToPath(new URL('../../../models', import.meta.url));
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.array(fc.constantFrom('good', 'bad', 'day', '[SEP]', ''), { maxLength: 20 }).map((words) => words.join(' ')),
);
let tokenizer: TextTokenizer;
let original: PreTrainedTokenizer;

beforeAll(async () => {
  transformersRuntime({ modelsDir: bundledDir, threads: 1 });
  tokenizer = await TextTokenizer.open(await openModel({ modelsDir: bundledDir, model: 'all-MiniLM-L6-v2' }));
  original = await AutoTokenizer.from_pretrained('all-MiniLM-L6-v2');
});

describe('A pair', () => {
  it('that is not too long has the tokens that the tokenizer gives it', () => {
    fc.assert(
      fc.property(texts, texts, (one, two) => {
        // transformers.js takes an empty second text for none; here it is one.
        fc.pre(two !== '');
        const pair = tokenizer.pair(one, two, 512);
        const { input_ids, token_type_ids } = original(one, { text_pair: two, return_tensor: false });
        expect(pair).toEqual({ ids: input_ids, typeIds: token_type_ids, tokens: input_ids.length, truncated: false });
      }),
    );
  });

  it('that is too long loses of the longer part, and keeps its marks', () => {
    fc.assert(
      fc.property(texts, texts, fc.integer({ min: 4, max: 30 }), (one, two, limit) => {
        const whole = tokenizer.pair(one, two, 512);
        const cut = tokenizer.pair(one, two, limit);
        const first = (types: readonly number[]) => types.filter((type) => type === 0).length - 2;
        const second = (types: readonly number[]) => types.filter((type) => type === 1).length - 1;
        expect([cut.tokens, cut.truncated]).toEqual([whole.tokens, whole.tokens > limit]);
        expect(cut.ids.length).toBe(Math.min(limit, whole.tokens));
        expect(cut.typeIds.length).toBe(cut.ids.length);
        expect([cut.ids[0], cut.ids.at(-1)]).toEqual([101, 102]);
        const lost = [first(whole.typeIds) - first(cut.typeIds), second(whole.typeIds) - second(cut.typeIds)];
        // What lost anything is at least as long as the other then, or one shorter.
        if ((lost[0] ?? 0) > 0) expect(first(cut.typeIds)).toBeGreaterThanOrEqual(second(cut.typeIds) - 1);
        if ((lost[1] ?? 0) > 0) expect(second(cut.typeIds)).toBeGreaterThanOrEqual(first(cut.typeIds) - 1);
      }),
    );
  });

  it('and a text too long keep what stands behind them', () => {
    const text = tokenizer.text('good bad day', 4);
    expect(text).toEqual({
      ids: [101, ...original.encode('good bad', { add_special_tokens: false }), 102],
      tokens: 5,
      truncated: true,
    });
  });
});

describe('A classifier', () => {
  it('knows its labels, and gives logits for each text, the same alone and in a pass', async () => {
    const runtime = transformersRuntime({ modelsDir, threads: 1 });
    const classifier = await runtime.loadClassifier(await openModel({ modelsDir, model: 'tiny-text-classifier' }));
    const { labels, multiLabel, tokenLimit } = classifier;
    expect({ labels, multiLabel, tokenLimit }).toEqual({
      labels: ['NEGATIVE', 'NEUTRAL', 'POSITIVE'],
      multiLabel: false,
      tokenLimit: 64,
    });
    const inputs = ['good', 'bad bad', 'neither of both'].map((text) => classifier.tokenize(text));
    const together = await classifier.logits(inputs);
    expect(together).toHaveLength(9);
    for (const [row, input] of inputs.entries())
      expect(await classifier.logits([input])).toEqual(together.slice(row * 3, row * 3 + 3));
    expect(together.indexOf(Math.max(...together.slice(0, 3)))).toBe(2);
    await classifier.dispose();
  });

  it('of pairs gives one number, by the types of their tokens', async () => {
    const runtime = transformersRuntime({ modelsDir, threads: 1 });
    const encoder = await runtime.loadClassifier(await openModel({ modelsDir, model: 'tiny-cross-encoder' }));
    const pairs = [encoder.tokenize('good', 'good'), encoder.tokenize('good', 'bad')];
    const logits = await encoder.logits(pairs);
    expect(encoder.labels).toHaveLength(1);
    expect(logits).toHaveLength(2);
    expect(logits[0]).toBeGreaterThan(logits[1] ?? 0);
    await encoder.dispose();
  });

  it('says which of several labels hold together, when its config does', async () => {
    const runtime = transformersRuntime({ modelsDir, threads: 1 });
    const classifier = await runtime.loadClassifier(await openModel({ modelsDir, model: 'tiny-multilabel' }));
    expect([classifier.multiLabel, classifier.labels]).toEqual([true, ['praise', 'complaint', 'question', 'urgent']]);
    await classifier.dispose();
  });

  it('is no embedder: a network without logits is refused', async () => {
    const runtime = transformersRuntime({ modelsDir, threads: 1 });
    const folder = await openModel({ modelsDir, model: 'tiny-embedder' });
    await expect(runtime.loadClassifier(folder)).rejects.toThrow(/onnx\/model\.onnx: it gives .+, and none of logits$/);
  });
});

import { classify } from '@millrace/shared/tasks/inference/classify';
import { describe, expect, it } from 'vitest';
import { classifyProcessor } from '../src/inference/classify.ts';
import { modelsOf, taskRunner, tinyDir } from './inference-calls.ts';

const models = modelsOf(tinyDir);
const { run, outcomesOf } = taskRunner(classify, classifyProcessor({ models, passTokens: 512 }));
const texts = ['good and great', 'a bad day', 'the water runs', 'b'];

async function logitsOf(model: string, text: string): Promise<number[]> {
  const classifier = await models.classifier(model);
  return [...(await classifier.logits([classifier.tokenize(text)]))];
}

describe('A text-classification model', () => {
  it('scores its own labels by the softmax of its logits', async () => {
    const output = await run({ texts, model: 'tiny-text-classifier' });
    const { labels, fingerprint } = await models.classifier('tiny-text-classifier').then((classifier) => ({
      labels: classifier.labels,
      fingerprint: classifier.fingerprint(),
    }));
    expect(output).toMatchObject({ method: 'model', multiLabel: false, model: 'tiny-text-classifier', fingerprint });
    for (const [index, text] of texts.entries()) {
      const weights = (await logitsOf('tiny-text-classifier', text)).map(Math.exp);
      const sum = weights.reduce((total, weight) => total + weight, 0);
      const scores = new Map(output.results[index]?.labels.map(({ name, score }) => [name, score]));
      labels.forEach((name, at) => {
        expect(scores.get(name)).toBeCloseTo((weights[at] ?? 0) / sum, 5);
      });
    }
  });

  it('scores each label by itself where its config says so, or the task', async () => {
    const own = await run({ texts, model: 'tiny-multilabel' });
    const asked = await run({ texts, model: 'tiny-text-classifier', multiLabel: true });
    const not = await run({ texts, model: 'tiny-multilabel', multiLabel: false });
    expect([own.multiLabel, asked.multiLabel, not.multiLabel]).toEqual([true, true, false]);
    const [first] = await logitsOf('tiny-multilabel', texts[0] ?? '');
    const praise = own.results[0]?.labels.find(({ name }) => name === 'praise');
    expect(praise?.score).toBeCloseTo(1 / (1 + Math.exp(-(first ?? 0))), 5);
    const sum = not.results[0]?.labels.reduce((total, { score }) => total + score, 0);
    expect(sum).toBeCloseTo(1, 12);
  });

  it('chooses among those of its labels that are given', async () => {
    const { results } = await run({ texts, model: 'tiny-text-classifier', labels: ['POSITIVE', 'NEGATIVE'] });
    for (const { labels } of results) {
      expect(labels.map(({ name }) => name).sort()).toEqual(['NEGATIVE', 'POSITIVE']);
      expect(labels.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 12);
    }
  });

  it('gives a text the same scores alone and in any batch', async () => {
    const together = await run({ texts, model: 'tiny-text-classifier' });
    const reversed = await run({ texts: [...texts].reverse(), model: 'tiny-text-classifier' });
    expect(reversed.results.reverse()).toEqual(together.results);
    for (const [index, text] of texts.entries()) {
      const alone = await run({ texts: [text], model: 'tiny-text-classifier' });
      expect(alone.results[0]).toEqual(together.results[index]);
    }
  });

  it('says when a text was longer than it reads', async () => {
    const { results } = await run({ texts: ['water '.repeat(200), 'water'], model: 'tiny-text-classifier' });
    expect(results.map(({ truncated }) => truncated)).toEqual([true, false]);
  });

  it('takes no label that it does not have, nor examples: the message names those that it has', async () => {
    const model = 'tiny-text-classifier';
    const [stranger] = await outcomesOf({ texts, model, labels: ['POSITIVE', 'sports'] });
    const [examples] = await outcomesOf({ texts, model, labels: ['POSITIVE', { name: 'NEGATIVE', examples: ['x'] }] });
    expect(stranger).toMatchObject({ ok: false, code: 'INVALID_INPUT' });
    expect(stranger).toHaveProperty('message', expect.stringContaining('"sports"; it has NEGATIVE, NEUTRAL, POSITIVE'));
    expect(examples).toHaveProperty('message', expect.stringMatching(/^labels\[1\]\.examples: /));
  });
});

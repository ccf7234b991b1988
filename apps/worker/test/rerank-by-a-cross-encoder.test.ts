import { rerank } from '@millrace/shared/tasks/inference/rerank';
import { describe, expect, it } from 'vitest';
import { rerankProcessor } from '../src/inference/rerank.ts';
import { modelsOf, taskRunner, tinyDir } from './inference-calls.ts';

const models = modelsOf(tinyDir);
const { run, outcomesOf } = taskRunner(rerank, rerankProcessor({ models, passTokens: 512 }));
const query = 'where does the water run';
const documents = ['the water runs to the sea', 'a stone', 'the wheel is old and the water is cold', 'the water'];
const model = 'tiny-cross-encoder';

describe('A cross-encoder', () => {
  it('scores query and document together, by the sigmoid of its logit', async () => {
    const { results, method, fingerprint } = await run({ query, documents, model });
    const classifier = await models.classifier(model);
    expect(method).toBe('cross-encoder');
    expect(fingerprint).toBe(classifier.fingerprint());
    for (const { index, score } of results) {
      const [logit] = await classifier.logits([classifier.tokenize(query, documents[index])]);
      expect(score).toBeCloseTo(1 / (1 + Math.exp(-(logit ?? 0))), 5);
    }
    expect(results.map(({ score }) => score)).toEqual(results.map(({ score }) => score).sort((a, b) => b - a));
  });

  it('gives a document the same score alone and in any batch', async () => {
    const together = new Map(
      (await run({ query, documents, model })).results.map(({ index, score }) => [index, score]),
    );
    for (const [index, document] of documents.entries()) {
      const [alone] = (await run({ query, documents: [document], model })).results;
      expect(alone?.score).toBe(together.get(index));
    }
  });

  it('says which pairs were longer than it reads', async () => {
    const { results } = await run({ query, documents: ['water '.repeat(200), 'water'], model });
    expect(new Set(results.filter(({ truncated }) => truncated).map(({ index }) => index))).toEqual(new Set([0]));
  });

  it('is not what a model with several labels is: the message says what to do', async () => {
    const [outcome] = await outcomesOf({ query, documents, model: 'tiny-text-classifier' });
    expect(outcome).toMatchObject({ ok: false, code: 'INVALID_INPUT' });
    expect(outcome).toHaveProperty('message', expect.stringContaining('has 3 labels, a cross-encoder has one'));
  });
});

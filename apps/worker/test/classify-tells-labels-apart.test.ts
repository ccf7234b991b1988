import { classify } from '@millrace/shared/tasks/inference/classify';
import { beforeAll, describe, expect, it } from 'vitest';
import { classifyProcessor } from '../src/inference/classify.ts';
import { bundledDir, modelsOf, taskRunner } from './inference-calls.ts';

const models = modelsOf(bundledDir);
const { run } = taskRunner(classify, classifyProcessor({ models, passTokens: 512 }));

const texts = [
  'The goalkeeper saved two penalties.',
  'Whisk the eggs with sugar until they are pale.',
  'The opposition walked out before the vote on the bill.',
];
const names = ['sports', 'cooking', 'politics'];
const examples = {
  sports: ['She won the sprint by a metre.', 'The coach changed the line-up at half-time.'],
  cooking: ['Let the dough rest for an hour.', 'Brown the onions in butter.'],
  politics: ['The minister resigned after the scandal.', 'Turnout was low in the second round.'],
};

let fingerprint: string;
beforeAll(async () => {
  fingerprint = (await models.embedder('all-MiniLM-L6-v2')).fingerprint(true);
});

describe('inference.classify', () => {
  it('tells texts apart by the names of labels alone, and says by what', async () => {
    const output = await run({ texts, labels: names });
    expect(output.results.map(({ labels }) => labels[0]?.name)).toEqual(names);
    const { results, ...facts } = output;
    expect(facts).toEqual({
      method: 'names',
      multiLabel: false,
      model: 'all-MiniLM-L6-v2',
      fingerprint,
      truncatedExamples: 0,
    });
    expect(results).toHaveLength(3);
  });

  it('gives every label of a text, best first, with scores that add up to 1', async () => {
    const { results } = await run({ texts, labels: names });
    for (const { labels } of results) {
      const scores = labels.map(({ score }) => score);
      expect(labels.map(({ name }) => name).sort()).toEqual([...names].sort());
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
      expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 12);
    }
  });

  it('gives only the best when told how many', async () => {
    const all = await run({ texts, labels: names });
    const best = await run({ texts, labels: names, topK: 1 });
    expect(best.results.map(({ labels }) => labels)).toEqual(all.results.map(({ labels }) => labels.slice(0, 1)));
  });

  it('goes by examples, whatever the labels are called', async () => {
    const labels = Object.values(examples).map((own, index) => ({ name: `K${index}`, examples: own }));
    const output = await run({ texts, labels });
    expect(output.results.map(({ labels: [best] }) => best?.name)).toEqual(['K0', 'K1', 'K2']);
    expect(output.method).toBe('examples');
  });

  it('takes labels with examples and labels without side by side', async () => {
    const labels = ['sports', { name: 'cooking', examples: examples.cooking }, 'politics'];
    const { results, method } = await run({ texts, labels });
    expect(results.map(({ labels: [best] }) => best?.name)).toEqual(names);
    expect(method).toBe('examples');
  });

  it('lets several labels, or none, apply to a text when asked', async () => {
    const both = 'A heart attack ended the career of the footballer.';
    const none = 'The zip of my jacket is stuck again.';
    const labels = ['sports', 'health', 'astronomy', 'cooking'];
    const { results, multiLabel } = await run({ texts: [both, none], labels, multiLabel: true });
    const applying = results.map((result) => result.labels.filter(({ score }) => score >= 0.5).map(({ name }) => name));
    expect(applying.map((list) => list.sort())).toEqual([['health', 'sports'], []]);
    expect(multiLabel).toBe(true);
  });

  it('scores a label by itself with multiLabel: other labels change nothing', async () => {
    const few = await run({ texts, labels: ['sports', 'cooking'], multiLabel: true });
    const many = await run({ texts, labels: ['law', 'sports', 'travel', 'cooking'], multiLabel: true });
    const scoreOf = ({ results }: typeof few, name: string) =>
      results.map(({ labels }) => labels.find((label) => label.name === name)?.score);
    expect(scoreOf(many, 'sports')).toEqual(scoreOf(few, 'sports'));
    expect(scoreOf(many, 'cooking')).toEqual(scoreOf(few, 'cooking'));
  });

  it('says which texts and how many examples were longer than the model reads', async () => {
    const long = 'The referee blew his whistle. '.repeat(100);
    const labels = [{ name: 'sports', examples: [long, 'A goal!'] }, 'cooking'];
    const { results, truncatedExamples } = await run({ texts: [long, 'Short.'], labels });
    expect(results.map(({ truncated, tokens }) => ({ truncated, tokens }))).toEqual([
      { truncated: true, tokens: 602 },
      { truncated: false, tokens: 4 },
    ]);
    expect(truncatedExamples).toBe(1);
  });

  it('refuses an item of an embedding model without labels, with the remedy', async () => {
    const tiny = taskRunner(classify, classifyProcessor({ models: modelsOf(bundledDir), passTokens: 512 }));
    const items = [{ text: 'a', model: 'all-MiniLM-L6-v2', labels: undefined, multiLabel: undefined, topK: undefined }];
    const { outcomes } = await tiny.call(items);
    expect(outcomes).toEqual([
      {
        ok: false,
        code: 'INVALID_INPUT',
        message: 'labels: all-MiniLM-L6-v2 is an embedding model and has none of its own; name at least 2.',
      },
    ]);
  });
});

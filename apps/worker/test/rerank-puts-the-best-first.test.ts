import { serialize } from 'node:v8';
import { rerank } from '@millrace/shared/tasks/inference/rerank';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rerankProcessor } from '../src/inference/rerank.ts';
import { bundledDir, modelsOf, refusal, taskRunner } from './inference-calls.ts';

const models = modelsOf(bundledDir);
/** A lane that has read no query yet. */
function newLane() {
  return taskRunner(rerank, rerankProcessor({ models, passTokens: 512 }));
}
const { run, parse, outcomesOf } = newLane();

const query = 'What drives the wheel of the mill?';
const documents = [
  'The miller sleeps until noon on Sundays.',
  'Water from the race turns the wheel.',
  'Flour is sold by the sack.',
  'A strong stream keeps the wheel of a mill going.',
];

describe('inference.rerank', () => {
  it('puts the documents that answer the query in front, and says by what', async () => {
    const { results, ...facts } = await run({ query, documents });
    const embedder = await models.embedder('all-MiniLM-L6-v2');
    expect(
      results
        .map(({ index }) => index)
        .slice(0, 2)
        .sort(),
    ).toEqual([1, 3]);
    expect(results.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3]);
    expect(results.map(({ score }) => score)).toEqual(results.map(({ score }) => score).sort((a, b) => b - a));
    expect(facts).toEqual({
      method: 'cosine',
      model: 'all-MiniLM-L6-v2',
      fingerprint: embedder.fingerprint(true),
      queryTruncated: false,
    });
  });

  it('scores by the cosine of the embeddings', async () => {
    const [only] = (await run({ query, documents: [query] })).results;
    expect(only?.score).toBeCloseTo(1, 6);
    expect(only?.score).toBeLessThanOrEqual(1);
  });

  it('gives as many as asked for, with their texts when asked', async () => {
    const all = await run({ query, documents });
    const two = await run({ query, documents, topK: 2, withDocuments: true });
    expect(two.results).toEqual(
      all.results.slice(0, 2).map((result) => ({ ...result, document: documents[result.index] })),
    );
    expect((await run({ query, documents, topK: 100 })).results).toEqual(all.results);
  });

  it('leaves documents of equal scores in their order', async () => {
    const { results } = await run({ query, documents: ['same', 'Water drives the wheel.', 'same', 'same'] });
    expect(results.map(({ index }) => index)).toEqual([1, 0, 2, 3]);
  });

  it('says what was longer than the model reads', async () => {
    const long = 'water '.repeat(400);
    const { results, queryTruncated } = await run({ query: long, documents: ['short', long] });
    expect(queryTruncated).toBe(true);
    expect(new Map(results.map(({ index, truncated }) => [index, truncated]))).toEqual(
      new Map([
        [0, false],
        [1, true],
      ]),
    );
  });

  it('refuses what says nothing, each with its place', () => {
    const problems = (input: object) => refusal(() => parse({ query, documents, ...input }));
    expect(problems({ query: ' ' })).toEqual(['input.query: a text that is not empty']);
    expect(problems({ documents: ['a', ''] })).toEqual(['input.documents[1]: a text that is not empty']);
    expect(problems({ documents: [] })).toEqual(['input.documents: at least 1 entry']);
    expect(problems({ topK: 0 })).toEqual(['input.topK: at least 1']);
  });

  it('fails for a model that is not there', async () => {
    const [outcome] = await outcomesOf({ query, documents, model: 'none' });
    expect(outcome).toMatchObject({ ok: false, code: 'MODEL_NOT_AVAILABLE' });
  });

  it('gives a document the same score to the last bit alone and in any batch', async () => {
    const words = ['water', 'wheel', 'stone', 'flour', 'the', 'runs'];
    const text = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 100 }).map((list) => list.join(' '));
    const scores = ({ results }: Awaited<ReturnType<typeof run>>) =>
      new Map(results.map(({ index, score }) => [index, score]));
    await fc.assert(
      fc.asyncProperty(text, fc.array(text, { minLength: 2, maxLength: 12 }), async (asked, list) => {
        const together = scores(await run({ query: asked, documents: list }));
        const alone = scores(await newLane().run({ query: asked, documents: list.slice(-1) }));
        expect(alone.get(0)).toBe(together.get(list.length - 1));
      }),
      { numRuns: 20 },
    );
  });

  it('scores whatever document comes, and it harms none of the others', async () => {
    const rough = fc
      .oneof(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
        fc.string({ unit: fc.constantFrom('\ud800', '\udfff', 'a', '\u0000', '\u200b'), minLength: 1 }),
        fc.nat({ max: 20_000 }).map((length) => 'y'.repeat(length + 1)),
      )
      .filter((text) => text.trim() !== '');
    const [expected] = (await run({ query, documents: documents.slice(1, 2) })).results;
    await fc.assert(
      fc.asyncProperty(rough, async (text) => {
        const { results } = await run({ query, documents: [text, documents[1]] });
        expect(results.find(({ index }) => index === 1)?.score).toBe(expected?.score);
        expect(results.every(({ score }) => score >= -1 && score <= 1)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('The query of a task', () => {
  it('is read once by a lane, for all its documents and all calls', async () => {
    const lane = newLane();
    const items = rerank.items(lane.parse({ query: 'one query', documents: ['one text', 'one text'] }));
    const first = await lane.call(items);
    const second = await lane.call(items);
    // [CLS] one text [SEP], twice; and [CLS] one query [SEP].
    expect([first.realTokens, second.realTokens]).toEqual([12, 8]);
    expect(second.outcomes).toEqual(first.outcomes);
  });

  it('shares a call with other queries, and each document keeps to its own', async () => {
    const lane = newLane();
    const a = rerank.items(lane.parse({ query: 'water', documents: ['a river', 'a stone'] }));
    const b = rerank.items(lane.parse({ query: 'bread', documents: ['a river', 'a loaf'] }));
    const scores = async (items: typeof a) =>
      (await lane.call(items)).outcomes.map((outcome) => (outcome.ok ? outcome.value.score : Number.NaN));
    expect(await scores([...a, ...b])).toEqual([...(await scores(a)), ...(await scores(b))]);
  });

  it('goes to a lane once in a message, however many documents there are', () => {
    const long = 'x'.repeat(10_000);
    const bytes = (count: number) =>
      serialize(rerank.items(parse({ query: long, documents: Array(count).fill('a text') }))).byteLength;
    expect(bytes(256)).toBeLessThan(bytes(1) + 256 * 200);
  });
});

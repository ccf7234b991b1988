import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Embedder, ModelRuntime, RuntimeOptions, TokenizedText } from '../../apps/worker/src/inference/runtime.ts';
import { openModel } from '../../apps/worker/src/models/model-folder.ts';
import { mixedTexts } from '../setup/mill.ts';
import { OwnModels } from '../setup/own-models.ts';

const limitMs = 120_000;

/** The promises that a runtime of models makes, as `runtime.ts` says, held with the bundled model. */
export function describeModelRuntime(name: string, createRuntime: (options: RuntimeOptions) => ModelRuntime): void {
  const models = new OwnModels().link('model').link('other/name');
  let runtime: ModelRuntime;
  let embedder: Embedder;
  const open = async (model: string) => await openModel({ modelsDir: models.dir, model });

  beforeAll(async () => {
    runtime = createRuntime({ modelsDir: models.dir, threads: 1 });
    embedder = await runtime.loadEmbedder(await open('model'));
  }, limitMs);
  afterAll(async () => {
    await embedder.dispose();
    models.remove();
  });

  /** The vector of each text of a pass. */
  const embed = async (texts: readonly TokenizedText[]): Promise<Float32Array[]> => {
    const vectors = await embedder.embed(texts);
    expect(vectors).toHaveLength(texts.length * embedder.dimensions);
    const { dimensions } = embedder;
    return texts.map((_, row) => vectors.slice(row * dimensions, (row + 1) * dimensions));
  };
  const embedAlone = async (texts: readonly TokenizedText[]): Promise<Float32Array[]> => {
    const vectors: Float32Array[] = [];
    for (const text of texts) vectors.push(...(await embed([text])));
    return vectors;
  };
  /** A text of so many tokens, marks and all. */
  const textOf = (tokens: number) => 'water '.repeat(tokens - embedder.tokenize('').tokens);

  describe(`The model runtime ${name}`, () => {
    it('says what the model is like', () => {
      const { model, dimensions, tokenLimit, batches, normalize } = embedder;
      const facts = { model, dimensions, tokenLimit, batches, normalize };
      expect(facts).toEqual({ model: 'model', dimensions: 384, tokenLimit: 256, batches: true, normalize: true });
    });

    it('gives the same vectors each time, and from a second loading', async () => {
      const texts = mixedTexts(8).map((text) => embedder.tokenize(text));
      const first = await embed(texts);
      expect(await embed(texts)).toEqual(first);
      const second = await runtime.loadEmbedder(await open('other/name'));
      expect(await second.embed(texts)).toEqual(Float32Array.from(first.flatMap((vector) => [...vector])));
      expect(second.fingerprint(true)).toBe(embedder.fingerprint(true));
      await second.dispose();
    });

    it(
      'gives a text the same vector alone and in any pass, to the last bit',
      async () => {
        const words = fc.array(fc.constantFrom('water', 'mill', 'wheel', 'a', 'turning', 'Ü', '...'), {
          maxLength: 60,
        });
        const property = fc.asyncProperty(fc.array(words, { minLength: 2, maxLength: 8 }), async (lists) => {
          const texts = lists.map((list) => embedder.tokenize(list.join(' ')));
          expect(await embed(texts)).toEqual(await embedAlone(texts));
        });
        await fc.assert(property, { numRuns: 15 });
      },
      limitMs,
    );

    it('reads a text up to its limit, and says when that was not all', async () => {
      const { tokenLimit } = embedder;
      const around = [tokenLimit - 1, tokenLimit, tokenLimit + 1].map((tokens) => embedder.tokenize(textOf(tokens)));
      expect(around.map(({ tokens, truncated }) => [tokens - tokenLimit, truncated])).toEqual([
        [-1, false],
        [0, false],
        [1, true],
      ]);
      expect(around.map(({ ids }) => ids.length)).toEqual([tokenLimit - 1, tokenLimit, tokenLimit]);
      // What is cut is the end of the text, not the mark behind it.
      expect(around[2]?.ids).toEqual(around[1]?.ids);
    });

    it('has a fingerprint for each way of normalizing', () => {
      expect(embedder.fingerprint(true)).toBe(embedder.fingerprint(true));
      expect(embedder.fingerprint(true)).not.toBe(embedder.fingerprint(false));
      expect(embedder.fingerprint(true)).toMatch(/^[0-9a-f]{32}$/);
    });

    it('takes models in turn, and gives back what one took', async () => {
      const [text] = await embed([embedder.tokenize('The wheel turns.')]);
      for (let round = 0; round < 3; round += 1) {
        const other = await runtime.loadEmbedder(await open('other/name'));
        expect(await other.embed([other.tokenize('The wheel turns.')])).toEqual(text);
        await other.dispose();
      }
      expect((await embed([embedder.tokenize('The wheel turns.')]))[0]).toEqual(text);
    });

    it('refuses a model that does not load, with its name, the file and the reason', async () => {
      const folder = await open('model');
      const gone = { ...folder, name: 'gone', path: models.path('gone', '') };
      await expect(runtime.loadEmbedder(gone)).rejects.toMatchObject({ code: 'MODEL_NOT_AVAILABLE' });
      await expect(runtime.loadEmbedder(gone)).rejects.toThrow(/^Model gone does not load: .+/);
    });
  });
}

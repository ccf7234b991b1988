import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoTokenizer, env } from '@huggingface/transformers';
import { MillraceError } from '@millrace/shared/errors';
import { builtinTaskTypes } from '@millrace/shared/tasks/catalog';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Tokenizers } from '../src/models/tokenizers.ts';
import { createWordPieces } from '../src/models/word-pieces.ts';
import { book, bundledDir, chunkTask, modelCount } from './chunk-texts.ts';
import { makeOtherTokenizers } from './other-tokenizers.ts';

/** A folder of models of the test's own, with a copy of the bundled one's tokenizer. */
function ownModels(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    cpSync(join(bundledDir, 'all-MiniLM-L6-v2', file), join(dir, 'own', file));
  }
  return dir;
}

async function refusal(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  return await promise.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: MillraceError) => error,
  );
}

describe('A count of tokens', () => {
  it('is the one of the embedding model, for words and for texts', async () => {
    const count = await modelCount();
    const counter = await new Tokenizers(bundledDir).open('all-MiniLM-L6-v2');
    expect(counter).toMatchObject({ frameTokens: 2, readableTokens: 256, addsUp: true });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String({ maxLength: 120 }), fc.webUrl()), (text) => {
        expect(counter.count(text)).toBe(count(text));
        expect(counter.countWord(text)).toBe(count(text) - 2);
      }),
    );
  });

  it('of a word comes from the same pieces as the library finds', async () => {
    env.allowRemoteModels = false;
    env.localModelPath = bundledDir;
    const tokenizer = await AutoTokenizer.from_pretrained('all-MiniLM-L6-v2');
    const pieces = new Map(tokenizer.get_vocab());
    const rules = { pieces, prefix: '##', longestWord: 100, unknown: '[UNK]' };
    const takeApart = createWordPieces(rules);
    const letters = fc.oneof(
      fc.constantFrom('a', 'e', 'n', 't', 'un', 'ing', 'mill'),
      fc.string({ unit: 'binary', maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 120 }), (parts) => {
        const word = parts
          .join('')
          .toLowerCase()
          .normalize('NFD')
          .replaceAll(/[\p{M}\p{P}\p{C}\p{S}\s\p{Script=Han}]/gu, '');
        if (word === '') return;
        expect(takeApart([word])).toEqual(tokenizer.tokenize(word));
      }),
      { numRuns: 1000 },
    );
    expect(takeApart(['x'.repeat(101), 'mill'])).toEqual(['[UNK]', 'mill']);
    expect(takeApart(['𝒳'.repeat(100)])).toEqual(['[UNK]']);
  });
});

describe('The tokenizer of a model', () => {
  it('is named in the output, and with another one every id is another', async () => {
    const dir = ownModels();
    writeFileSync(join(dir, 'own', 'tokenizer_config.json'), '{"model_max_length": 512}');
    const text = book.slice(0, 5000);
    const bundled = await chunkTask({ texts: [text] });
    const own = await chunkTask({ texts: [text], model: 'own' }, new Tokenizers(dir));
    expect(bundled).toMatchObject({ model: 'all-MiniLM-L6-v2', tokenizer: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(own.chunks[0]?.map((chunk) => chunk.text)).toEqual(bundled.chunks[0]?.map((chunk) => chunk.text));
    expect(own.tokenizer).not.toBe(bundled.tokenizer);
    const ids = new Set(bundled.chunks[0]?.map(({ id }) => id));
    expect(own.chunks[0]?.filter(({ id }) => ids.has(id))).toEqual([]);
  });

  it('leaves room for what a model that reads less, and its prefix for documents, take', async () => {
    const dir = ownModels();
    writeFileSync(join(dir, 'own', 'millrace.json'), '{"tokenLimit": 40, "prefixes": {"document": "passage: "}}');
    const count = await modelCount();
    const { chunks } = await chunkTask({ texts: [book.slice(0, 20_000)], model: 'own' }, new Tokenizers(dir));
    const longest = Math.max(...(chunks[0] ?? []).map(({ text }) => count(`passage: ${text}`)));
    expect(longest).toBeGreaterThan(36);
    expect(longest).toBeLessThanOrEqual(40);
  });

  it('is taken at its word when a task says how long its chunks may be', async () => {
    const { chunks } = await chunkTask({ texts: [book.slice(0, 20_000)], maxTokens: 1000 });
    const longest = Math.max(...(chunks[0] ?? []).map(({ tokens }) => tokens));
    expect(longest).toBeGreaterThan(500);
    expect(longest).toBeLessThanOrEqual(1000);
  });

  it('that is not there fails its tasks with the reason, and is looked for again the next time', async () => {
    const dir = ownModels();
    const tokenizers = new Tokenizers(dir);
    const missing = await refusal(chunkTask({ texts: ['a'], model: 'org/none' }, tokenizers));
    expect(missing).toMatchObject({ code: 'MODEL_NOT_AVAILABLE', message: expect.stringContaining('org/none') });
    cpSync(join(dir, 'own'), join(dir, 'org/none'), { recursive: true });
    const { chunks } = await chunkTask({ texts: ['a'], model: 'org/none' }, tokenizers);
    expect(chunks[0]).toHaveLength(1);
  });

  it.each([
    ['is not there', undefined, 'tokenizer.json'],
    ['is no JSON', '{', 'is not JSON'],
    ['is no tokenizer', '{"model": {"type": "WordPiece"}}', 'added_tokens'],
    [
      'is of a kind that is not known',
      '{"added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Dream"}, "post_processor": null, "decoder": null, "model": {"type": "BPE", "vocab": {}, "merges": []}}',
      'Dream',
    ],
  ])('whose file %s says so', async (_, content, reason) => {
    const dir = ownModels();
    const file = join(dir, 'own', 'tokenizer.json');
    if (content === undefined) rmSync(file);
    else writeFileSync(file, content);
    const error = await refusal(new Tokenizers(dir).open('own'));
    expect(error).toBeInstanceOf(MillraceError);
    expect(error).toMatchObject({ code: 'MODEL_NOT_AVAILABLE', message: expect.stringContaining(reason) });
  });

  it('of another kind than BERT is used as it is', async () => {
    const made = makeOtherTokenizers();
    onTestFinished(() => made.remove());
    const { chunks } = await chunkTask(
      { texts: ['the mill the mill '.repeat(50)], model: 'bytes', maxTokens: 16 },
      new Tokenizers(made.dir),
    );
    expect(chunks[0]?.length).toBeGreaterThan(5);
    expect(Math.max(...(chunks[0] ?? []).map(({ tokens }) => tokens))).toBeLessThanOrEqual(16);
  });
});

describe('The door of text.chunk', () => {
  it.each([
    [{ texts: [] }, 'input.texts'],
    [{ texts: ['a', 7] }, 'input.texts[1]'],
    [{ texts: ['a'], maxTokens: 7 }, 'input.maxTokens'],
    [{ texts: ['a'], maxTokens: 100_000 }, 'input.maxTokens'],
    [{ texts: ['a'], maxTokens: 100, overlapTokens: 50 }, 'input.overlapTokens'],
    [{ texts: ['a'], overlapTokens: 128 }, 'input.overlapTokens'],
    [{ texts: ['a'], overlapTokens: -1 }, 'input.overlapTokens'],
    [{ texts: ['a'], model: '../models' }, 'input.model'],
    [{ texts: ['a'], overlap: 3 }, 'input.overlap'],
  ])('refuses %j', async (input, path) => {
    await expect(chunkTask(input)).rejects.toMatchObject({ code: 'INVALID_INPUT', problems: [{ path }] });
  });

  it('says what an overlap may be', async () => {
    await expect(chunkTask({ texts: ['a'], maxTokens: 100, overlapTokens: 50 })).rejects.toMatchObject({
      problems: [{ got: '50', expected: 'less than half of maxTokens, which is 100' }],
    });
  });

  it('knows about how large a result will be', async () => {
    const type = builtinTaskTypes['text.chunk'];
    for (const input of [
      { texts: [book] },
      { texts: [book], maxTokens: 64, overlapTokens: 16 },
      { texts: ['我们在村子里看见一座老磨坊，它的轮子随着河水慢慢转动。'.repeat(500)] },
      { texts: ['a', 'b', ''], maxTokens: 8 },
    ]) {
      const bytes = Buffer.byteLength(JSON.stringify(await chunkTask(input)));
      const estimate = type.resultBytes(input, Buffer.byteLength(JSON.stringify(input)));
      expect(estimate).toBeGreaterThan(bytes);
      expect(estimate).toBeLessThan(bytes * 2 + 2000);
    }
  });
});

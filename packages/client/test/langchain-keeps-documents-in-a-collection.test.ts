import { Document } from '@langchain/core/documents';
import { Embeddings } from '@langchain/core/embeddings';
import { Millrace } from '@millrace/client';
import { MillraceEmbeddings, MillraceVectorStore } from '@millrace/client/langchain';
import { createTestMillrace } from '@millrace/client/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cosine, ownPrefix } from '../../../test/setup/mill.ts';
import { startWorker, stopProcesses } from '../../../test/setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const mill = new Millrace({ redisUrl, prefix });
const embeddings = new MillraceEmbeddings({ mill });

const wheel = 'The wheel turns as long as the water runs.';
const goose = 'The goose had swallowed a blue gem.';
const league = 'Only men with red hair were admitted to the league.';

/** Embeddings of somebody else: two numbers, the share of the letters a and e. */
class LetterEmbeddings extends Embeddings {
  constructor() {
    super({});
  }
  override embedDocuments(texts: string[]): Promise<number[][]> {
    return Promise.all(texts.map((text) => this.embedQuery(text)));
  }
  override async embedQuery(text: string): Promise<number[]> {
    return ['a', 'e'].map((letter) => text.split(letter).length - 1);
  }
}

beforeAll(async () => {
  await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text,inference,vector', INFERENCE_LANES: '1' } });
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
});

const contents = (documents: readonly { pageContent: string }[]) => documents.map(({ pageContent }) => pageContent);

describe('The embeddings of LangChain', () => {
  it('are the vectors of the mill', async () => {
    const [expected] = await mill.embed([wheel]);
    expect(await embeddings.embedDocuments([wheel])).toEqual([[...(expected ?? [])]]);
    expect(await embeddings.embedQuery(wheel)).toEqual([...(expected ?? [])]);
    expect(await embeddings.embedDocuments([])).toEqual([]);
  });

  it('tell queries from documents, and put them first', async () => {
    const double = createTestMillrace();
    const given = new MillraceEmbeddings({ mill: double, model: 'org/other', tags: ['mine'] });
    await given.embedDocuments([wheel]);
    await given.embedQuery(wheel);
    const input = { texts: [wheel], model: 'org/other' };
    expect(double.control.tasks).toMatchObject([
      { input: { ...input, purpose: 'document' }, options: { tags: ['mine'] } },
      { input: { ...input, purpose: 'query' }, options: { tags: ['mine'], priority: 'high' } },
    ]);
  });
});

describe('The vector store of LangChain', () => {
  it('creates its collection with the first documents, and finds the nearest, with the cosine', async () => {
    const config = { mill, collection: 'nearest' };
    const texts = [wheel, goose, league];
    const store = await MillraceVectorStore.fromTexts(texts, [{ n: 1 }, { n: 2 }, { n: 3 }], embeddings, config);
    expect(await mill.collection('nearest')).toMatchObject({ dimensions: 384, metric: 'cosine', points: 3 });
    const question = 'Who ate the jewel?';
    const found = await store.similaritySearchWithScore(question, 2);
    const [query, vector] = await mill.embed([question, goose]);
    expect(found).toHaveLength(2);
    expect(found[0]?.[0]).toMatchObject({ pageContent: goose, metadata: { n: 2 }, id: expect.any(String) });
    expect(found[0]?.[1]).toBeCloseTo(cosine(query ?? [], vector ?? []), 5);
    expect(contents(await store.similaritySearch(question, 2, { n: { $ne: 2 } }))).not.toContain(goose);
    const byVector = await store.similaritySearchVectorWithScore(await embeddings.embedQuery(question), 1);
    expect(byVector).toEqual(found.slice(0, 1));
  });

  it('replaces a document of the same id, and deletes by ids or a filter', async () => {
    const store = new MillraceVectorStore(embeddings, { mill, collection: 'kept' });
    const documents = [
      new Document({ id: 'a', pageContent: wheel, metadata: { lang: 'en' } }),
      new Document({ pageContent: goose, metadata: { lang: 'xx', seen: new Date(0), gone: undefined } }),
    ];
    expect(await store.addDocuments(documents, { ids: ['a', 'b'] })).toEqual(['a', 'b']);
    expect(await store.addDocuments([new Document({ id: 'a', pageContent: league })])).toEqual(['a']);
    expect(contents(await store.similaritySearch(wheel, 10)).sort()).toEqual([league, goose].sort());
    const [other] = await store.similaritySearch(goose, 1);
    expect(other?.metadata).toEqual({ lang: 'xx', seen: '1970-01-01T00:00:00.000Z' });
    await store.delete({ filter: { lang: 'xx' } });
    await store.delete({ ids: ['nobody'] });
    expect(contents(await store.similaritySearch(goose, 10))).toEqual([league]);
    await store.delete({ ids: ['a'] });
    expect(await store.similaritySearch(goose, 10)).toEqual([]);
    await expect(store.delete({})).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('takes embeddings of any kind, and as many documents as there are', async () => {
    const store = new MillraceVectorStore(new LetterEmbeddings(), { mill, collection: 'letters' });
    const documents = Array.from({ length: 600 }, (_, index) => {
      return new Document({ pageContent: `${'a'.repeat(index)}eee`, metadata: { index } });
    });
    const ids = await store.addDocuments(documents);
    expect(new Set(ids).size).toBe(600);
    expect(await mill.collection('letters')).toMatchObject({ dimensions: 2, points: 600 });
    const [nearest] = await store.similaritySearchWithScore('aaeee', 1);
    expect(nearest?.[0].metadata).toEqual({ index: 2 });
    expect(nearest?.[1]).toBeCloseTo(1, 5);
    await expect(store.addVectors([[1]], [new Document({ pageContent: 'a' })])).rejects.toMatchObject({
      code: 'COLLECTION_MISMATCH',
    });
  });

  it('is a retriever, by likeness and by maximal marginal relevance', async () => {
    const config = { mill, collection: 'retriever' };
    const texts = [wheel, `${wheel} It does.`, 'The water of the river drives the mill.', league];
    const store = await MillraceVectorStore.fromTexts(texts, {}, embeddings, config);
    expect(contents(await store.asRetriever(2).invoke(wheel))).toEqual([wheel, `${wheel} It does.`]);
    const mmr = store.asRetriever({ k: 2, searchType: 'mmr', searchKwargs: { lambda: 0.3, fetchK: 4 } });
    expect(contents(await mmr.invoke(wheel))).toEqual([wheel, league]);
  });

  it('reads what vector.documents has written', async () => {
    await mill.createCollection('chunks', { dimensions: 384, metric: 'cosine' });
    const input = { collection: 'chunks', documents: [{ id: 'mill', text: wheel, metadata: { lang: 'en' } }] };
    await (await mill.enqueue('vector.documents', input)).result();
    const [chunk] = await new MillraceVectorStore(embeddings, { mill, collection: 'chunks' }).similaritySearch(wheel);
    expect(chunk).toMatchObject({ pageContent: wheel, metadata: { lang: 'en', documentId: 'mill' } });
  });

  it('refuses what would be lost or mixed up', async () => {
    await mill.createCollection('other-model', { dimensions: 384, metric: 'cosine', model: 'org/other' });
    const mixed = MillraceVectorStore.fromTexts([wheel], {}, embeddings, { mill, collection: 'other-model' });
    await expect(mixed).rejects.toMatchObject({ code: 'COLLECTION_DIFFERS', message: /org\/other/ });
    const config = { mill, collection: 'kept' };
    const lost = MillraceVectorStore.fromTexts([wheel], { text: 'mine' }, embeddings, config);
    await expect(lost).rejects.toMatchObject({ code: 'INVALID_INPUT', message: /textKey/ });
    const few = new MillraceVectorStore(embeddings, config).addDocuments([new Document({ pageContent: 'a' })], {
      ids: [],
    });
    await expect(few).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const missing = new MillraceVectorStore(embeddings, { mill, collection: 'missing' }).similaritySearch(wheel);
    await expect(missing).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
  });
});

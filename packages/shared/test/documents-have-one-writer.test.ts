import { randomBytes } from 'node:crypto';
import { silentLogger } from '@millrace/shared/logger';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { DocumentChunks } from '@millrace/shared/redis/document-chunks';
import { createKeys } from '@millrace/shared/redis/keys';
import { Points } from '@millrace/shared/redis/points';
import type { Collection } from '@millrace/shared/tasks/vector/collection';
import { afterAll, describe, expect, inject, it } from 'vitest';

const keys = createKeys(`{test-${randomBytes(4).toString('hex')}}`);
/** Of each writer its own: on one connection their commands would come in turn. */
const connections = Array.from({ length: 6 }, (_, index) =>
  connectRedis({ url: inject('redisUrl'), role: 'worker', name: `test-${index}`, log: silentLogger() }),
);
const sides = connections.map((redis) => ({
  points: new Points(redis, keys),
  chunks: new DocumentChunks(redis, keys),
}));
const [first] = connections;
if (first === undefined) throw new Error('no connection');
const collections = new Collections(first, keys);
afterAll(() => Promise.all(connections.map(disconnectRedis)));

type Side = (typeof sides)[number];

/** As vector.documents writes one: some chunks are the same for all writers. */
async function write({ points, chunks }: Side, collection: Collection, writer: string): Promise<void> {
  const ids = [...Array.from({ length: 5 }, (_, index) => `same-${index}`), `${writer}-a`, `${writer}-b`];
  const writes = ids.map((id) => ({ id, vector: Float32Array.of(1), metadata: { writer } }));
  const open = await chunks.begin(collection, { id: 'd', chunkIds: ids, fence: undefined });
  const guard = { document: open };
  for (const one of writes) await points.write(collection, [one], guard);
  await points.delete(
    collection,
    open.outdated.map((id) => ({ id })),
    guard,
  );
  await chunks.end(collection, open, ids);
}

describe('A document that several write at once', () => {
  it('has all chunks of the one that wrote last, and no other', async () => {
    const { state } = await collections.create('library', { dimensions: 1, metric: 'dot' }, Date.now());
    for (let round = 0; round < 12; round += 1) {
      await Promise.all(
        sides.map(async (side, index) => {
          for (let turn = 0; turn < 3; turn += 1) await write(side, state.collection, `w${round}-${index}-${turn}`);
        }),
      );
      const stored = [];
      for await (const piece of sides[0]?.points.scan(state.collection) ?? []) stored.push(...piece);
      const [writer] = new Set(stored.map(({ metadata }) => metadata?.['writer']));
      expect(stored.map(({ id, metadata }) => [id, metadata?.['writer']]).sort()).toEqual(
        [...Array.from({ length: 5 }, (_, index) => `same-${index}`), `${writer}-a`, `${writer}-b`]
          .map((id) => [id, writer])
          .sort(),
      );
    }
  });

  it('may lose its writer half-way: the next one takes it over and removes what there is of it', async () => {
    const { state } = await collections.create('torn', { dimensions: 1, metric: 'dot' }, Date.now());
    const [{ points, chunks }, other] = sides as [Side, Side];
    const open = await chunks.begin(state.collection, { id: 'd', chunkIds: ['x', 'y'], fence: undefined });
    await points.write(state.collection, [{ id: 'x', vector: Float32Array.of(1), metadata: null }], { document: open });
    await write(other, state.collection, 'next');
    expect(await points.read(state.collection, ['x', 'y'])).toEqual([undefined, undefined]);
    const late = points.write(state.collection, [{ id: 'y', vector: Float32Array.of(1), metadata: null }], {
      document: open,
    });
    await expect(late).rejects.toMatchObject({ code: 'COLLECTION_CHANGED' });
  });
});

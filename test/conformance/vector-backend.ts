import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { metrics } from '@millrace/shared/tasks/vector/collection';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IndexBackend, IndexParams, VectorIndex } from '../../apps/worker/src/vector/backends/vector-index.ts';
import { distanceOf, Nearest } from '../../apps/worker/src/vector/nearest.ts';

const dimensions = 16;
const count = 3000;
/** Of clusters, as the vectors of texts lie; an approximate index finds little among uniform random ones. */
const vectors = Array.from({ length: count }, (_, label) => clustered(label));
const queries = Array.from({ length: 50 }, (_, index) => clustered(count + index));

function clustered(seed: number): Float32Array {
  const center = seed % 20;
  const vector = Float32Array.from({ length: dimensions }, (_, index) => {
    const far = Math.sin(center * 12.9898 + index * 78.233);
    return far + 0.3 * Math.sin(seed * 39.346 + index * 11.135);
  });
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

/**
 * What every backend of vector indexes must do, whatever it is made of. `recall`: the least share of the ten nearest that it
 * must find at ef 100.
 */
export function describeVectorBackend(name: string, backend: IndexBackend, { recall }: { recall: number }): void {
  describe.each(metrics)(`The ${name} backend under %s`, (metric) => {
    const params: IndexParams = {
      collection: { dimensions, metric, hnsw: { m: 16, efConstruction: 200, ef: 100 } },
      vectorOf: (label) => vectors[label] ?? new Float32Array(dimensions),
    };
    let index: VectorIndex;
    beforeAll(() => {
      index = backend.create(params);
      for (const [label, vector] of vectors.entries()) index.add(label, vector);
    });

    it(`finds ${recall * 100} % of the ten nearest, nearest first, with their true distances`, () => {
      const distance = distanceOf(metric);
      let hits = 0;
      for (const query of queries) {
        const found = index.search(query, { k: 10, ef: 100, allows: undefined });
        const exact = new Set(scan(query, () => true).map(({ label }) => label));
        hits += found.filter(({ label }) => exact.has(label)).length;
        expect(found).toHaveLength(10);
        expect(found.map((one) => one.distance)).toEqual(
          found.map(({ label }) => distance(query, params.vectorOf(label))),
        );
        expect([...found].sort((a, b) => a.distance - b.distance)).toEqual(found);
      }
      expect(hits / (10 * queries.length)).toBeGreaterThanOrEqual(recall);
    });

    it('finds none but those that are allowed', () => {
      const allows = (label: number) => label % 3 === 0;
      for (const query of queries.slice(0, 10)) {
        const found = index.search(query, { k: 10, ef: 100, allows });
        expect(found.length).toBeGreaterThan(0);
        expect(found.every(({ label }) => allows(label))).toBe(true);
      }
    });

    it('finds nothing in an empty index, and no more than there is', () => {
      const empty = backend.create(params);
      expect(empty.search(vectors[0] ?? new Float32Array(dimensions), { k: 5, ef: 100, allows: undefined })).toEqual(
        [],
      );
      empty.add(7, params.vectorOf(7));
      expect(empty.search(params.vectorOf(7), { k: 5, ef: 100, allows: undefined }).map(({ label }) => label)).toEqual([
        7,
      ]);
      empty.remove(7);
      expect(empty.search(params.vectorOf(7), { k: 5, ef: 100, allows: undefined })).toEqual([]);
      expect(empty.size).toBe(1);
    });

    it('never finds what was removed, and finds what was added since', () => {
      const small = backend.create(params);
      for (let label = 0; label < 500; label += 1) small.add(label, params.vectorOf(label));
      for (let label = 0; label < 500; label += 2) small.remove(label);
      small.remove(0);
      small.add(900, params.vectorOf(900));
      for (const query of queries.slice(0, 20)) {
        const found = small.search(query, { k: 20, ef: 100, allows: undefined });
        expect(found.every(({ label }) => label % 2 === 1 || label === 900)).toBe(true);
      }
      const [nearest] = small.search(params.vectorOf(900), { k: 1, ef: 100, allows: undefined });
      expect(nearest?.label).toBe(900);
    });

    it('finds nothing once it is closed, and takes nothing amiss', () => {
      const closed = backend.create(params);
      for (let label = 0; label < 50; label += 1) closed.add(label, params.vectorOf(label));
      closed.close();
      closed.close();
      closed.add(50, params.vectorOf(50));
      closed.remove(3);
      expect(closed.search(params.vectorOf(7), { k: 5, ef: 100, allows: undefined })).toEqual([]);
    });

    describe('once saved', () => {
      let folder = '';
      beforeAll(async () => {
        folder = await mkdtemp(path.join(tmpdir(), 'millrace-index-'));
      });
      afterAll(() => rm(folder, { recursive: true, force: true }));

      it('is the same when it is loaded, what was removed stays so, and it can grow', async () => {
        const file = path.join(folder, 'index');
        const saved = backend.create(params);
        for (let label = 0; label < 400; label += 1) saved.add(label, params.vectorOf(label));
        saved.remove(3);
        await saved.save(file);
        const labels = Array.from({ length: 400 }, (_, label) => label);
        const loaded = await backend.load(file, { ...params, labels, removed: [3] });
        for (const query of queries.slice(0, 10)) {
          const search = { k: 10, ef: 400, allows: undefined };
          expect(loaded.search(query, search)).toEqual(saved.search(query, search));
        }
        loaded.remove(3);
        for (let label = 400; label < 2000; label += 1) loaded.add(label, params.vectorOf(label));
        expect(loaded.search(params.vectorOf(1999), { k: 1, ef: 100, allows: undefined })[0]?.label).toBe(1999);
      });
    });

    function scan(query: Float32Array, allows: (label: number) => boolean) {
      const nearest = new Nearest(10);
      for (const [label, vector] of vectors.entries()) {
        if (allows(label)) nearest.offer(label, distanceOf(metric)(query, vector));
      }
      return nearest.sorted();
    }
  });
}

import { describe, expect, it } from 'vitest';
import { exactBackend } from '../../apps/worker/src/vector/backends/exact.ts';
import { openHnswBackend } from '../../apps/worker/src/vector/backends/hnsw.ts';
import { describeVectorBackend } from './vector-backend.ts';

const hnsw = openHnswBackend();

describeVectorBackend('exact', exactBackend, { recall: 1 });
if (hnsw !== undefined) describeVectorBackend('hnsw', hnsw, { recall: 0.95 });

describe('hnswlib-node', () => {
  it('is there wherever a compiler was when Millrace was installed', () => {
    expect(hnsw?.name ?? 'hnsw is missing: searches are exact').toBe('hnsw');
  });
});

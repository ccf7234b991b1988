import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentHash } from '../src/tasks/content-hash.ts';
import { embed } from '../src/tasks/inference/embed.ts';

const { keeping } = embed;
const fingerprint = 'f'.repeat(32);
const [item] = embed.items({ texts: ['a text'] });

const vectors = fc
  .uint8Array({ minLength: 4, maxLength: 64 })
  // Any bits, also those of NaN and -0.
  .map((bytes) => new Float32Array(bytes.slice(0, bytes.length - (bytes.length % 4)).buffer));

describe('An embedding that is kept', () => {
  it('is the same to the last bit when it is read, wherever its bytes lie', () => {
    fc.assert(
      fc.property(vectors, fc.nat(2 ** 32 - 1), fc.boolean(), fc.nat(3), (vector, tokens, truncated, shift) => {
        if (item === undefined || keeping === undefined) throw new Error('embed has items and keeps values');
        const value = { vector, tokens, truncated, model: item.model, fingerprint };
        const packed = keeping.pack(value);
        const moved = new Uint8Array(packed.length + shift).subarray(shift);
        moved.set(packed);
        const read = keeping.unpack(moved, item, fingerprint);
        expect({ ...read, vector: undefined }).toEqual({ ...value, vector: undefined });
        expect(new Uint8Array(read?.vector.slice().buffer ?? [])).toEqual(new Uint8Array(vector.slice().buffer));
      }),
    );
  });

  it('is computed again when its bytes are of another layout', () => {
    if (item === undefined || keeping === undefined) throw new Error('embed has items and keeps values');
    const value = { vector: new Float32Array([1, 2]), tokens: 3, truncated: false, model: item.model, fingerprint };
    const packed = keeping.pack(value);
    for (const bytes of [
      new Uint8Array(),
      packed.subarray(1),
      packed.subarray(0, 6),
      packed.with(packed.length - 1, 2),
    ])
      expect(keeping.unpack(bytes, item, fingerprint)).toBeUndefined();
  });
});

describe('Texts to embed', () => {
  const identityOf = (input: Parameters<typeof embed.items>[0]) => embed.items(input).map((one) => embed.identity(one));

  it('are the same when all is that decides about their vector, and only then', () => {
    const [a, b] = identityOf({ texts: ['a', 'b'] });
    expect(identityOf({ texts: ['b', 'a'], model: 'all-MiniLM-L6-v2' })).toEqual([b, a]);
    const others = [
      identityOf({ texts: ['a'], model: 'other/model' }),
      identityOf({ texts: ['a'], normalize: false }),
      identityOf({ texts: ['a '] }),
      [b],
    ];
    expect(new Set([[a], ...others].flat()).size).toBe(5);
  });

  it('do not differ by the order of what they say, nor by what they do not say', () => {
    expect(contentHash({ a: 1, b: undefined, c: ['x'] })).toBe(contentHash({ c: ['x'], a: 1 }));
    expect(contentHash({ a: '1' })).not.toBe(contentHash({ a: 1 }));
  });
});

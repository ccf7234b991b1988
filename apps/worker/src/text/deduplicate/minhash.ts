import { mix } from './shingles.ts';

/** Values of a signature. */
export const signatureLength = 128;

/** The constants of one hash function: x -> multiplier * x + addend, on 32 bits; an odd multiplier makes it a permutation. */
const seed = 0x6d696c6c;

interface HashFunctions {
  readonly multipliers: Int32Array;
  readonly addends: Int32Array;
}

/** The same functions in every process, so that the same texts always give the same groups. */
function createHashFunctions(): HashFunctions {
  const multipliers = new Int32Array(signatureLength);
  const addends = new Int32Array(signatureLength);
  for (let at = 0; at < signatureLength; at += 1) {
    multipliers[at] = mix(seed + 2 * at) | 1;
    addends[at] = mix(seed + 2 * at + 1);
  }
  return { multipliers, addends };
}

/**
 * Makes signatures: of each hash function the least value that it gives on a set. Two sets agree in a place of their
 * signatures with the probability of their Jaccard similarity (Broder 1997; Leskovec, Rajaraman, Ullman, "Mining of Massive
 * Datasets", 3.3).
 */
export function createMinHash(): (set: Uint32Array) => Uint32Array {
  const { multipliers, addends } = createHashFunctions();
  return (set) => {
    const signature = new Uint32Array(signatureLength);
    for (let at = 0; at < signatureLength; at += 1) {
      const multiplier = multipliers[at] ?? 1;
      const addend = addends[at] ?? 0;
      let least = 0xffffffff;
      for (let index = 0; index < set.length; index += 1) {
        const value = (Math.imul(multiplier, set[index] ?? 0) + addend) >>> 0;
        if (value < least) least = value;
      }
      signature[at] = least;
    }
    return signature;
  };
}

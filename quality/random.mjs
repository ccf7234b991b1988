import { mulberry32 } from '../scripts/mulberry32.mjs';

/**
 * Random values from a seed: the same on every run.
 *
 * @param {number} seed
 */
export function createRandom(seed) {
  const next = mulberry32(seed);
  /**
   * A whole number from 0 up to but not including `bound`.
   *
   * @param {number} bound
   */
  const below = (bound) => Math.floor(next() * bound);
  /**
   * One of a list that is not empty.
   *
   * @template T
   * @param {readonly T[]} list
   * @returns {T}
   */
  const pick = (list) => /** @type {T} */ (list[below(list.length)]);
  /**
   * So many characters of an alphabet.
   *
   * @param {string} alphabet
   * @param {number} length
   */
  const from = (alphabet, length) => Array.from({ length }, () => alphabet[below(alphabet.length)]).join('');
  /**
   * @template T
   * @param {readonly T[]} list
   */
  const shuffle = (list) =>
    list
      .map((value) => ({ value, order: next() }))
      .sort((a, b) => a.order - b.order)
      .map(({ value }) => value);
  return {
    below,
    pick,
    from,
    shuffle,
    /** @param {number} length */
    digits: (length) => from('0123456789', length),
    /** @param {number} length */
    hex: (length) => from('0123456789abcdef', length),
    /** @param {number} length */
    letters: (length) => from('abcdefghijklmnopqrstuvwxyz', length),
  };
}

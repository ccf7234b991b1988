import { mulberry32 } from '../scripts/mulberry32.mjs';

/**
 * @typedef {object} Random
 * @property {() => number} next 0 <= x < 1
 * @property {(least: number, most: number) => number} integer both may come
 * @property {<T>(list: readonly T[]) => T} pick of a list that is not empty
 * @property {<T>(list: readonly T[]) => T[]} shuffle a new list
 */

/**
 * The same seed gives the same row of numbers.
 *
 * @param {number} seed
 * @returns {Random}
 */
export function createRandom(seed) {
  const next = mulberry32(seed);
  /** @type {Random['integer']} */
  const integer = (least, most) => least + Math.floor(next() * (most - least + 1));
  /** @type {Random['pick']} */
  const pick = (list) => {
    if (list.length === 0) throw new Error('nothing to pick from');
    return /** @type {any} */ (list[integer(0, list.length - 1)]);
  };
  return {
    next,
    integer,
    pick,
    shuffle: (list) => {
      const rest = [...list];
      return list.map(() => /** @type {any} */ (rest.splice(integer(0, rest.length - 1), 1)[0]));
    },
  };
}

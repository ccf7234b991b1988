/** Random values from a seed (mulberry32, of Tommy Ettinger, public domain): the same on every run. */
export function createRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  /** A whole number from 0 up to but not including `bound`. */
  const below = (bound) => Math.floor(next() * bound);
  const pick = (list) => list[below(list.length)];
  const from = (alphabet, length) => Array.from({ length }, () => alphabet[below(alphabet.length)]).join('');
  return {
    next,
    below,
    pick,
    digits: (length) => from('0123456789', length),
    hex: (length) => from('0123456789abcdef', length),
    letters: (length) => from('abcdefghijklmnopqrstuvwxyz', length),
  };
}

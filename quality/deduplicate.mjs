import { deduplicateProcessor } from '../apps/worker/dist/text/deduplicate.js';
import { createRandom } from './random.mjs';

/** @typedef {ReturnType<typeof createRandom>} Random */

const threshold = 0.9;

/**
 * Whether pairs of texts are found whose similarity is known: it is computed here, with sets of strings instead of hashes.
 * And how long a task of the largest size takes; seconds depend on the machine and what else it does.
 */
export async function check() {
  const random = createRandom(30);
  const words = makeWords(random);
  const near = makePairs(random, words, { least: threshold, most: 1 });
  const just = makePairs(random, words, { least: threshold - 0.1, most: threshold });
  const others = Array.from({ length: 2000 }, () => makeText(random, words));
  const texts = random.shuffle([...near.flat(), ...just.flat(), ...others]);
  const { groupOf } = await group(texts);
  /** @param {readonly string[][]} pairs */
  const together = (pairs) => pairs.filter(([a = '', b = '']) => groupOf(a) === groupOf(b)).length;
  const set = `${texts.length} texts made from a seed, with`;
  return [
    row('near duplicates found', together(near) / near.length, {
      unit: 'share',
      goal: 0.99,
      set: `${set} ${near.length} pairs of ${threshold} to 1`,
    }),
    row('pairs below the threshold taken for duplicates', together(just) / just.length, {
      unit: 'share',
      goal: 0,
      set: `${set} ${just.length} pairs of ${(threshold - 0.1).toFixed(1)} to ${threshold}`,
    }),
    ...(await timeRows(random, words)),
  ];
}

/**
 * @param {string} name
 * @param {number} figure
 * @param {{ unit: string, goal: number | null, set: string }} about
 */
function row(name, figure, about) {
  return { check: `text.deduplicate: ${name}`, figure, ...about };
}

/**
 * @param {Random} random
 * @param {readonly string[]} words
 */
async function timeRows(random, words) {
  const unlike = Array.from({ length: 10_000 }, () => makeText(random, words, 820));
  const first = unlike[0] ?? '';
  const alike = Array.from({ length: 10_000 }, () => change(random, first, words, 4));
  const nearlyAlike = Array.from({ length: 10_000 }, () => change(random, first, words, 12));
  /** @type {[string, string[]][]} */
  const lists = [
    ['unlike texts', unlike],
    ['nearly equal texts', alike],
    ['texts just short of the threshold', nearlyAlike],
  ];
  const rows = [];
  for (const [name, texts] of lists) {
    const { seconds } = await group(texts);
    const set = `10,000 of 820 characters each, 8 MB`;
    rows.push(row(`10,000 ${name}`, seconds, { unit: 'seconds', goal: 20, set }));
  }
  return rows;
}

/** @param {readonly string[]} texts */
async function group(texts) {
  const startedAt = performance.now();
  const [outcome] = await deduplicateProcessor.process([{ texts: [...texts], threshold }], {
    count: () => {},
    signal: new AbortController().signal,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  if (outcome?.ok !== true) throw new Error('the texts could not be compared');
  /** @type {Map<string | undefined, number>} */
  const groups = new Map();
  for (const { representative, members } of outcome.value.groups) {
    for (const { index } of members) groups.set(texts[index], representative);
  }
  /** @param {string} text */
  const groupOf = (text) => groups.get(text) ?? text;
  return { seconds, groupOf };
}

/** Words of 3 to 9 letters; every third one Cyrillic. @param {Random} random */
function makeWords(random) {
  return Array.from({ length: 20_000 }, (_, index) =>
    random.from(index % 3 === 0 ? 'абвгдежзиклмнопрстуфхцчшыэюя' : 'abcdefghijklmnopqrstuvwxyz', 3 + random.below(7)),
  );
}

/**
 * @param {Random} random
 * @param {readonly string[]} words
 * @param {number} length at least so many characters
 */
function makeText(random, words, length = 150 + random.below(2500)) {
  let text = random.pick(words);
  while (text.length < length) text += ` ${random.pick(words)}`;
  return text.slice(0, length).trim();
}

/** Han characters without spaces. @param {Random} random */
function makeHan(random) {
  return String.fromCharCode(...Array.from({ length: 60 + random.below(600) }, () => 0x4e00 + random.below(3000)));
}

/**
 * 600 pairs, a sixth of them Chinese, whose similarity is from `least` to below `most`.
 *
 * @param {Random} random
 * @param {readonly string[]} words
 * @param {{ least: number, most: number }} bounds
 */
function makePairs(random, words, { least, most }) {
  /** @type {[string, string][]} */
  const pairs = [];
  while (pairs.length < 600) {
    const isHan = pairs.length % 6 === 0;
    const text = isHan ? makeHan(random) : makeText(random, words);
    const other = isHan ? changeHan(random, text) : change(random, text, words, 1 + random.below(9));
    const likeness = similarity(text, other);
    if (likeness >= least && likeness < most) pairs.push([text, other]);
  }
  return pairs;
}

/**
 * The text with some words replaced.
 *
 * @param {Random} random
 * @param {string} text
 * @param {readonly string[]} words
 * @param {number} times
 */
function change(random, text, words, times) {
  const parts = text.split(' ');
  for (let time = 0; time < times; time += 1) parts[random.below(parts.length)] = random.pick(words);
  return parts.join(' ');
}

/**
 * @param {Random} random
 * @param {string} text
 */
function changeHan(random, text) {
  const parts = [...text];
  const times = 1 + random.below(8);
  for (let time = 0; time < times; time += 1) {
    parts[random.below(parts.length)] = String.fromCharCode(0x4e00 + random.below(3000));
  }
  return parts.join('');
}

/**
 * As the docs say: shared pieces of five characters (two of Han), as part of all.
 *
 * @param {string} a
 * @param {string} b
 */
function similarity(a, b) {
  const [inA, inB] = [pieces(a), pieces(b)];
  const shared = [...inA].filter((piece) => inB.has(piece)).length;
  return shared / (inA.size + inB.size - shared);
}

/** @param {string} text */
function pieces(text) {
  const length = /\p{Script=Han}/u.test(text) ? 2 : 5;
  return new Set(Array.from({ length: text.length - length + 1 }, (_, start) => text.slice(start, start + length)));
}

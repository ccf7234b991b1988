import { mulberry32 } from '../scripts/mulberry32.mjs';
import { adjectives, adverbs, firstNames, joints, lastNames, nouns, prepositions, verbs } from './words.mjs';

/**
 * @typedef {object} CorpusParams
 * @property {number} count
 * @property {number} edition texts of two editions differ in two words that are one token each: the same work for the model,
 *   but nothing that a cache of the edition before could answer
 * @property {number} [seed]
 */

/** Bounds of a text, in words and punctuation marks: about one token each, and two more that the model adds. */
const shortest = 6;
const longest = 226;
/** Lognormal: a mean of about 55 tokens, half of the texts below 42. */
const meanOfLog = 3.67;
const spreadOfLog = 0.75;

/** The editions that are all different. */
const editions = firstNames.length * lastNames.length;

/**
 * Texts of mixed lengths, as a store of comments, mails and paragraphs has them. The same parameters give the same texts.
 *
 * @param {CorpusParams} params
 * @returns {string[]}
 */
export function makeCorpus({ count, edition, seed = 1 }) {
  const random = mulberry32(seed);
  /** @type {Set<string>} */
  const texts = new Set();
  // A worker computes equal texts in flight once, so they would be counted twice: no two are equal.
  while (texts.size < count) texts.add(makeText(random, openingOf(texts.size + edition)));
  return [...texts];
}

/** @param {number} number */
function openingOf(number) {
  const place = number % editions;
  return [pickAt(firstNames, place % firstNames.length), pickAt(lastNames, Math.floor(place / firstNames.length))];
}

/**
 * @param {() => number} random
 * @param {string[]} opening
 */
function makeText(random, opening) {
  const length = Math.round(Math.exp(meanOfLog + spreadOfLog * gaussian(random)));
  const wanted = Math.min(longest, Math.max(shortest, length)) - 1; // the last full stop
  const marks = [...opening, ...predicate(random)];
  while (marks.length < wanted) marks.push('.', ...sentence(random));
  // Cut in mid-sentence, as a snippet is.
  return `${join(marks.slice(0, wanted))}.`;
}

/** @param {() => number} random */
function sentence(random) {
  const [first = '', ...rest] = [...thing(random), ...predicate(random)];
  return [first.charAt(0).toUpperCase() + first.slice(1), ...rest];
}

/**
 * @param {() => number} random
 * @returns {string[]}
 */
function predicate(random) {
  const chance = random();
  const adverb = chance < 0.3 ? [pick(random, adverbs)] : [];
  const place = chance < 0.7 ? [pick(random, prepositions), ...thing(random)] : [];
  const more = random() < 0.4 ? [',', pick(random, joints), ...thing(random), ...predicate(random)] : [];
  return [...adverb, pick(random, verbs), ...thing(random), ...place, ...more];
}

/** @param {() => number} random */
function thing(random) {
  const article = random() < 0.7 ? 'the' : 'every';
  return random() < 0.5 ? [article, pick(random, adjectives), pick(random, nouns)] : [article, pick(random, nouns)];
}

/** @param {string[]} marks */
function join(marks) {
  return marks
    .join(' ')
    .replace(/ ([,.])/g, '$1')
    .replace(/[,.]$/, '');
}

/**
 * @param {() => number} random
 * @param {readonly string[]} words
 */
function pick(random, words) {
  return pickAt(words, Math.floor(random() * words.length));
}

/**
 * @param {readonly string[]} words
 * @param {number} index
 */
function pickAt(words, index) {
  const word = words[index];
  if (word === undefined) throw new Error(`no word ${index} of ${words.length}`);
  return word;
}

/** Box and Muller's. @param {() => number} random */
function gaussian(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

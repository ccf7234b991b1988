import { rerankProcessor } from '../apps/worker/dist/inference/rerank.js';
import { rerank } from '../packages/shared/dist/tasks/inference/rerank.js';
import { mean, readSet, taskRunner } from './inference-lane.mjs';

const set = 'questions.jsonl';

/** Each question against the passages of all questions, some of them about the same thing; and what counting words gives. */
export async function check() {
  const run = taskRunner(rerank, rerankProcessor);
  /** @type {{ query: string, passage: string }[]} */
  const rows = await readSet(set);
  const documents = rows.map(({ passage }) => passage);
  const byWords = wordScorer(documents);
  /** @type {number[]} */
  const places = [];
  /** @type {number[]} */
  const placesByWords = [];
  for (const [index, { query }] of rows.entries()) {
    const { results } = await run({ query, documents });
    places.push(1 + results.findIndex((result) => result.index === index));
    placesByWords.push(placeOf(index, byWords(query)));
  }
  return [
    row('inference.rerank: place of the answer (MRR)', meanReciprocal(places), 0.9),
    row('inference.rerank: answer in front', places.filter((place) => place === 1).length / places.length, 0.85),
    row('beside it BM25, by shared words: place of the answer (MRR)', meanReciprocal(placesByWords), null),
  ];
}

/**
 * BM25 (k1 1.2, b 0.75) over lower-case words.
 *
 * @param {string[]} documents
 * @returns {(query: string) => number[]}
 */
function wordScorer(documents) {
  const all = documents.map(wordsOf);
  const meanLength = mean(all.map(({ length }) => length));
  /** @param {string} word */
  const rarity = (word) => {
    const having = all.filter((words) => words.includes(word)).length;
    return Math.log(1 + (all.length - having + 0.5) / (having + 0.5));
  };
  return (query) =>
    all.map((words) =>
      wordsOf(query).reduce((sum, word) => {
        const count = words.filter((one) => one === word).length;
        return sum + (rarity(word) * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * words.length) / meanLength));
      }, 0),
    );
}

/**
 * @param {string} text
 * @returns {string[]}
 */
function wordsOf(text) {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/**
 * Among equal scores it counts as in the middle.
 *
 * @param {number} index
 * @param {number[]} scores
 */
function placeOf(index, scores) {
  const own = scores[index] ?? 0;
  const better = scores.filter((score) => score > own).length;
  const equal = scores.filter((score) => score === own).length;
  return better + (equal + 1) / 2;
}

/** @param {number[]} places */
function meanReciprocal(places) {
  return mean(places.map((place) => 1 / place));
}

/**
 * @param {string} check
 * @param {number} figure
 * @param {number | null} goal
 */
function row(check, figure, goal) {
  return { check, figure, unit: 'share', goal, set };
}

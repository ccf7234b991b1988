import { AutoTokenizer } from '@huggingface/transformers';
import { forkReady } from './child.mjs';
import { maxTokens, modelName } from './model.mjs';

/** @typedef {import('./child.mjs').ChildProcess} ChildProcess */
/** @typedef {import('./ceiling-child.mjs').Answer} Answer */
/** @typedef {{ texts: number[], rows: Int32Array[] }} Call which texts of the run, and their token ids */

/** Padded tokens of a call that are tried; the fastest is kept. */
const budgets = [256, 512, 1024];
/** Calls that a child has at once, so that it never waits for the next. */
const callsAhead = 2;

/**
 * What the model can do on this machine: all texts known beforehand, tokenized, sorted by length and cut by the best
 * budget of padded tokens; one process a core takes its calls from one list. The clock runs from the first call sent until
 * the last vector is back, so tokenizing is free here and paid for by all others.
 *
 * @param {import('./contender.mjs').Bench} bench
 * @param {readonly string[]} trial texts to find the budget with
 * @returns {Promise<import('./contender.mjs').Contender & { lengths: (texts: readonly string[]) => number[], budget: number }>}
 */
export async function openCeiling(bench, trial) {
  const children = await Promise.all(
    Array.from({ length: bench.cores }, () => forkReady('./ceiling-child.mjs', [], bench)),
  );
  const tokenizer = await AutoTokenizer.from_pretrained(modelName);
  /** @param {readonly string[]} texts */
  const tokenize = (texts) =>
    texts.map((text) => {
      const { input_ids: ids } = tokenizer(text, { return_tensor: false, truncation: true, max_length: maxTokens });
      return Int32Array.from(/** @type {number[]} */ (ids));
    });
  const run = (/** @type {readonly string[]} */ texts, /** @type {number} */ tokens) =>
    shareOut(children, cutByTokens(tokenize(texts), tokens), texts.length);

  await run(trial.slice(0, 200), 512); // the first calls are slow
  let best = { budget: 0, ms: Number.POSITIVE_INFINITY };
  for (const budget of budgets) {
    const { ms } = await run(trial, budget);
    if (ms < best.ms) best = { budget, ms };
  }
  return {
    key: 'ceiling',
    label: `ceiling: the model alone, ${children.length} processes`,
    mostTexts: Number.POSITIVE_INFINITY,
    budget: best.budget,
    lengths: (texts) => tokenize(texts).map((row) => row.length),
    run: (texts) => run(texts, best.budget),
  };
}

/**
 * @param {Int32Array[]} rows
 * @param {number} budget
 * @returns {Call[]} the longest first, so that the last ones are small and all children end together
 */
function cutByTokens(rows, budget) {
  const order = rows.map((row, text) => ({ row, text })).sort((a, b) => b.row.length - a.row.length);
  /** @type {Call[]} */
  const calls = [];
  let width = 0;
  for (const { row, text } of order) {
    const last = calls.at(-1);
    if (last !== undefined && (last.rows.length + 1) * width <= budget) {
      last.rows.push(row);
      last.texts.push(text);
    } else {
      width = row.length;
      calls.push({ rows: [row], texts: [text] });
    }
  }
  return calls;
}

/**
 * @param {ChildProcess[]} children
 * @param {Call[]} calls
 * @param {number} texts
 * @returns {Promise<import('./contender.mjs').Run>}
 */
async function shareOut(children, calls, texts) {
  /** @type {Float32Array[]} */
  const vectors = new Array(texts);
  const list = calls.entries();
  const begin = performance.now();
  await Promise.all(children.map((child) => work(child, list, (call, answer) => keep(vectors, call, answer))));
  return { ms: performance.now() - begin, vectors };
}

/**
 * Keeps a child busy with calls of the list until there are no more and all are answered.
 *
 * @param {ChildProcess} child
 * @param {IterableIterator<[number, Call]>} list
 * @param {(call: Call, answer: Answer) => void} onAnswer
 * @returns {Promise<void>}
 */
function work(child, list, onAnswer) {
  /** @type {Map<number, Call>} */
  const sent = new Map();
  const sendNext = () => {
    const { value, done } = list.next();
    if (done) return;
    const [id, call] = value;
    sent.set(id, call);
    child.send({ call: id, rows: call.rows });
  };
  return new Promise((resolve) => {
    /** @param {Answer} answer */
    const onMessage = (answer) => {
      const call = sent.get(answer.call);
      sent.delete(answer.call);
      sendNext();
      if (call !== undefined) onAnswer(call, answer);
      if (sent.size > 0) return;
      child.off('message', onMessage);
      resolve();
    };
    child.on('message', onMessage);
    for (let ahead = 0; ahead < callsAhead; ahead += 1) sendNext();
    if (sent.size === 0) resolve();
  });
}

/**
 * @param {Float32Array[]} vectors
 * @param {Call} call
 * @param {Answer} answer
 */
function keep(vectors, call, { dimensions, vectors: rows }) {
  call.texts.forEach((text, row) => {
    vectors[text] = rows.subarray(row * dimensions, (row + 1) * dimensions);
  });
}

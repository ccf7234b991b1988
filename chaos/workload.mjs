import { createRandom } from './random.mjs';

/** @typedef {import('./random.mjs').Random} Random */
/** @typedef {'inference' | 'text'} Family the families that are tried */
/**
 * A task and what is right for it.
 *
 * @typedef {object} PlannedTask
 * @property {number} number
 * @property {Family} family
 * @property {'inference.embed' | 'text.clean'} type
 * @property {{ texts: string[], format?: 'html' | 'markdown' | 'plain' }} input
 * @property {'high' | 'normal' | 'low' | undefined} priority
 * @property {'http' | 'client'} via
 * @property {number} dueMs when it is sent, from the beginning of the run
 * @property {string[]} expected the texts whose vectors are right, or the cleaned texts
 */
/** @typedef {{ pool: string[], tasks: PlannedTask[] }} Workload pool: all texts that are embedded */

const poolSize = 200;
const most = { texts: 8, cleanTexts: 4, wordsOfText: 60 };
/** Tasks come in bursts, so that queues fill and workers have their hands full: so many of all at once. */
const burstShare = { least: 0.02, most: 0.1 };
/** @type {readonly PlannedTask['priority'][]} */
const prioritiesSent = [undefined, undefined, undefined, undefined, 'high', 'low', 'normal'];
const shareOfEmbeds = 0.5;
const shareOfClient = 0.3;

const words =
  `the mill wheel turns slowly while water runs over old stones and nobody counts the sacks that wait at the door
  grain prices rose again in spring when roads were bad so the miller kept his flour for neighbours who paid in eggs or honey
  a bridge crosses the river near seven quiet houses where letters arrive late but seldom lost`.split(/\s+/);

/**
 * All tasks of a run, made by the seed: in bursts, over `spanMs`.
 *
 * @param {{ seed: number, count: number, spanMs: number }} params
 * @returns {Workload}
 */
export function makeWorkload({ seed, count, spanMs }) {
  const random = createRandom(seed);
  const pool = Array.from({ length: poolSize }, (_, index) => `${index}: ${sentence(random, most.wordsOfText)}.`);
  const dues = dueTimes(random, { count, spanMs });
  const tasks = dues.map((dueMs, number) => makeTask(random, { number, dueMs, pool }));
  return { pool, tasks };
}

/** The tag by which a job in Redis is known as a task of the plan. */
export const tagPrefix = 'chaos-';

/**
 * @param {Random} random
 * @param {{ count: number, spanMs: number }} params
 */
function dueTimes(random, { count, spanMs }) {
  /** @type {number[]} */
  const dues = [];
  while (dues.length < count) {
    const dueMs = (dues.length / count) * spanMs;
    const share = burstShare.least + random.next() * (burstShare.most - burstShare.least);
    const size = Math.min(Math.ceil(count * share), count - dues.length);
    for (let index = 0; index < size; index += 1) dues.push(dueMs);
  }
  return dues;
}

/**
 * @param {Random} random
 * @param {{ number: number, dueMs: number, pool: readonly string[] }} params
 * @returns {PlannedTask}
 */
function makeTask(random, { number, dueMs, pool }) {
  const priority = random.pick(prioritiesSent);
  const via = random.next() < shareOfClient ? 'client' : 'http';
  const common = /** @type {const} */ ({ number, dueMs, priority, via });
  if (random.next() < shareOfEmbeds) {
    const texts = Array.from({ length: random.integer(1, most.texts) }, () => random.pick(pool));
    return { ...common, family: 'inference', type: 'inference.embed', input: { texts }, expected: texts };
  }
  const format = random.pick(/** @type {const} */ (['html', 'markdown', 'plain']));
  const pieces = Array.from({ length: random.integer(1, most.cleanTexts) }, () => makePiece(random, format));
  const texts = pieces.map(({ raw }) => raw);
  const expected = pieces.map(({ clean }) => clean);
  return { ...common, family: 'text', type: 'text.clean', input: { texts, format }, expected };
}

/**
 * A text with something to clean away, and what is left of it.
 *
 * @param {Random} random
 * @param {'html' | 'markdown' | 'plain'} format
 */
function makePiece(random, format) {
  const [a, b, c] = [sentence(random, 6), sentence(random, 6), sentence(random, 6)];
  switch (format) {
    case 'html':
      return { raw: `<p>${a} <b>${b}</b> &amp;\n <script>x()</script>${c}</p>`, clean: `${a} ${b} & ${c}` };
    case 'markdown':
      return { raw: `${a} **${b}** *${c}*\n`, clean: `${a} ${b} ${c}` };
    case 'plain':
      return { raw: `  ${a}\t\t${b}\u200b \r\n\r\n\r\n\r\n ${c} `, clean: `${a} ${b}\n\n${c}` };
  }
}

/**
 * @param {Random} random
 * @param {number} longest
 */
function sentence(random, longest) {
  return Array.from({ length: random.integer(2, longest) }, () => random.pick(words)).join(' ');
}

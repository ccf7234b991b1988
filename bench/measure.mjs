import { makeCorpus } from './corpus.mjs';
import { ceilingFigure, figureOf, lowestCosine } from './report.mjs';

/** @typedef {import('./contender.mjs').Contender} Contender */
/** @typedef {{ texts: number, mean: number, shortest: number, longest: number }} Lengths in tokens */
/**
 * @typedef {object} Measured
 * @property {Lengths} corpus
 * @property {number} ceilingBudget padded tokens of a call
 * @property {import('./report.mjs').Figure[]} figures
 * @property {Record<string, number>} lowestCosines to the ceiling's vector of the same text, by contender
 */

/** @typedef {{ contender: Contender, chosen: number[] }} Entry a contender and the indexes of the texts that it runs */

/**
 * Warms every contender up, compares its vectors with the ceiling's, then runs the rounds.
 *
 * @param {import('./contenders.mjs').Contenders} contenders
 * @param {import('./options.mjs').Options} options
 * @param {import('../scripts/setup/terminal.mjs').Terminal} terminal
 * @returns {Promise<Measured>}
 */
export async function measure({ ceiling, others }, { texts: count, rounds }, terminal) {
  // All editions have the same lengths, so which texts a slow contender takes is settled once.
  const lengths = ceiling.lengths(makeCorpus({ count, edition: 0 }));
  const entries = [ceiling, ...others].map((contender) => ({
    contender,
    chosen: sample(lengths, contender.mostTexts),
  }));
  const lowestCosines = await warmUp(entries, makeCorpus({ count, edition: 0 }), terminal);
  let edition = 0;
  /** @param {Entry} entry */
  const speedOf = async ({ contender, chosen }) => {
    edition += 1;
    const texts = makeCorpus({ count, edition });
    const { ms } = await contender.run(chosen.map((index) => texts[index] ?? ''));
    const speed = chosen.length / (ms / 1000);
    terminal.step(`${speed.toFixed(1).padStart(7)} texts/s  ${contender.label}`);
    return speed;
  };
  const figures = await runRounds(entries, { rounds, speedOf, terminal });
  return { corpus: summaryOf(lengths), ceilingBudget: ceiling.budget, figures, lowestCosines };
}

/**
 * Runs the contenders in turn, the ceiling between any two: the speed of a machine drifts within seconds, so each is
 * compared with the two ceilings beside it.
 *
 * @param {Entry[]} entries the first is the ceiling
 * @param {{ rounds: number, speedOf: (entry: Entry) => Promise<number>,
 *   terminal: import('../scripts/setup/terminal.mjs').Terminal }} params
 * @returns {Promise<import('./report.mjs').Figure[]>}
 */
async function runRounds([ceiling, ...others], { rounds, speedOf, terminal }) {
  if (ceiling === undefined) throw new Error('the ceiling always runs');
  let before = await speedOf(ceiling);
  const ceilings = [before];
  /** @type {import('./report.mjs').Round[]} */
  const measured = [];
  for (let round = 1; round <= rounds; round += 1) {
    terminal.step(`round ${round} of ${rounds}`);
    /** @type {import('./report.mjs').Round} */
    const runs = new Map();
    for (const entry of others) {
      const speed = await speedOf(entry);
      const after = await speedOf(ceiling);
      ceilings.push(after);
      runs.set(entry.contender.key, { speed, toCeiling: speed / ((before + after) / 2) });
      before = after;
    }
    measured.push(runs);
  }
  return [
    ceilingFigure({ ...ceiling.contender, texts: ceiling.chosen.length }, ceilings, measured),
    ...others.map(({ contender, chosen }) => figureOf({ ...contender, texts: chosen.length }, measured)),
  ];
}

/**
 * Runs each contender once, so that none is cold in the first round, and compares what it says.
 *
 * @param {Entry[]} entries the first is the ceiling
 * @param {string[]} texts
 * @param {import('../scripts/setup/terminal.mjs').Terminal} terminal
 * @returns {Promise<Record<string, number>>} the lowest cosine to the ceiling's vectors, by contender
 */
async function warmUp(entries, texts, terminal) {
  /** @type {Float32Array[] | undefined} */
  let expected;
  /** @type {Record<string, number>} */
  const lowest = {};
  for (const { contender, chosen } of entries) {
    const { vectors } = await contender.run(chosen.map((index) => texts[index] ?? ''));
    expected ??= vectors;
    const others = chosen.map((index) => expected?.[index] ?? new Float32Array());
    lowest[contender.key] = lowestCosine(vectors, others);
    terminal.step(`warm: ${contender.label}`);
  }
  return lowest;
}

/**
 * @param {number[]} lengths
 * @param {number} most
 * @returns {number[]} indexes of at most that many texts, evenly over the lengths, in the order of the texts
 */
function sample(lengths, most) {
  const order = lengths.map((_, index) => index);
  if (lengths.length <= most) return order;
  order.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0));
  const chosen = Array.from(
    { length: most },
    (_, place) => order[Math.floor(((place + 0.5) * order.length) / most)] ?? 0,
  );
  return chosen.sort((a, b) => a - b);
}

/**
 * @param {number[]} lengths
 * @returns {Lengths}
 */
function summaryOf(lengths) {
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  return {
    texts: lengths.length,
    mean: Number((tokens / lengths.length).toFixed(1)),
    shortest: Math.min(...lengths),
    longest: Math.max(...lengths),
  };
}

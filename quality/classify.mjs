import { classifyProcessor } from '../apps/worker/dist/inference/classify.js';
import { classify } from '../packages/shared/dist/tasks/inference/classify.js';
import { mean, readSet, taskRunner } from './inference-lane.mjs';

/**
 * @typedef {{ text: string, label: string, split: 'dev' | 'examples' | 'check' }} Topic
 * @typedef {{ text: string, labels: string[], split: 'dev' | 'check' }} TwoTopics
 * @typedef {ReturnType<typeof taskRunner<any, { results: { labels: { name: string, score: number }[] }[] }, any, any>>} Run
 */

const shots = 5;

/** Texts that a label's examples are drawn from lie apart from those that are checked, and both from those that figures were tuned on. */
export async function check() {
  const run = /** @type {Run} */ (taskRunner(classify, classifyProcessor));
  /** @type {Topic[]} */
  const topics = await readSet('topics.jsonl');
  const names = [...new Set(topics.map(({ label }) => label))];
  const checked = topics.filter(({ split }) => split === 'check');
  const texts = checked.map(({ text }) => text);
  const byNames = scoresOf(checked, await run({ texts, labels: names }));
  const draws = [];
  for (const labels of drawExamples(topics, names)) draws.push(scoresOf(checked, await run({ texts, labels })));
  return [
    row('inference.classify: right label, by names', byNames.accuracy, { goal: 0.8 }),
    row(`inference.classify: right label, by ${shots} examples`, mean(draws.map(({ accuracy }) => accuracy)), {
      goal: 0.85,
    }),
    row('inference.classify: calibration error (less is better), by names', byNames.error, { goal: 0.1 }),
    row('inference.classify: calibration error (less is better), by examples', mean(draws.map(({ error }) => error)), {
      goal: 0.1,
    }),
    await severalLabels(run, names),
  ];
}

/**
 * Labels with examples, as often as there are new ones for each.
 *
 * @param {Topic[]} topics
 * @param {string[]} names
 */
function drawExamples(topics, names) {
  const all = names.map((name) => ({
    name,
    examples: topics.filter(({ label, split }) => label === name && split === 'examples').map(({ text }) => text),
  }));
  const draws = Math.floor(Math.min(...all.map(({ examples }) => examples.length)) / shots);
  return Array.from({ length: draws }, (_, draw) =>
    all.map(({ name, examples }) => ({ name, examples: examples.slice(draw * shots, (draw + 1) * shots) })),
  );
}

/**
 * F1 of the labels that get 0.5 and above, of texts that two labels apply to.
 *
 * @param {Run} run
 * @param {string[]} labels
 */
async function severalLabels(run, labels) {
  /** @type {TwoTopics[]} */
  const rows = await readSet('two-topics.jsonl');
  const checked = rows.filter(({ split }) => split === 'check');
  const { results } = await run({ texts: checked.map(({ text }) => text), labels, multiLabel: true });
  const given = results.map((result) => result.labels.filter(({ score }) => score >= 0.5).map(({ name }) => name));
  const right = checked.flatMap((one, index) => one.labels.filter((name) => given[index]?.includes(name))).length;
  const all = given.flat().length + checked.flatMap((one) => one.labels).length;
  return row('inference.classify: all labels of a text, by names (F1 at 0.5)', (2 * right) / all, {
    goal: 0.8,
    set: 'two-topics.jsonl',
  });
}

/**
 * How often the best label is the right one, and by how much that misses the scores, in ten bins (expected calibration error).
 *
 * @param {Topic[]} checked
 * @param {Awaited<ReturnType<Run>>} output
 */
function scoresOf(checked, { results }) {
  const best = results.map(({ labels: [first] }, index) => ({
    score: first?.score ?? 0,
    right: first?.name === checked[index]?.label ? 1 : 0,
  }));
  const misses = Array.from({ length: 10 }, (_, bin) =>
    Math.abs(
      best
        .filter(({ score }) => Math.min(9, Math.floor(score * 10)) === bin)
        .reduce((sum, { score, right }) => sum + score - right, 0),
    ),
  );
  return { accuracy: mean(best.map(({ right }) => right)), error: mean(misses) * (misses.length / best.length) };
}

/**
 * @param {string} check
 * @param {number} figure
 * @param {{ goal: number, set?: string }} options
 */
function row(check, figure, { goal, set = 'topics.jsonl' }) {
  return { check, figure, unit: 'share', goal, set };
}

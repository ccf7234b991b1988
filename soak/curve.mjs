/**
 * What was seen at one moment.
 *
 * @typedef {object} Sample
 * @property {number} texts done so far
 * @property {number} ms since the beginning
 * @property {Record<string, number>} bytes memory by what holds it: the worker, its lanes, Redis
 */

/** The beginning, in which memory may grow (code is compiled, pools fill): so much of the texts, and at least so long. */
const beginningShare = 0.1;
const beginningMs = 30_000;
/** Fewer samples than these tell nothing. */
const fewestSamples = 20;

/** @typedef {{ bytes: number, share: number }} Growth `share` of what it was at first */

/**
 * Of each kind of memory: how much more it had in the last third than in the first of what follows the beginning. In each third its
 * least counts: garbage comes and goes, and what leaks stays. Undefined when the run was too short to tell.
 *
 * @param {readonly Sample[]} samples
 * @returns {Map<string, Growth> | undefined}
 */
export function growthOf(samples) {
  const last = samples.at(-1)?.texts ?? 0;
  const settled = samples.filter(({ texts, ms }) => texts >= beginningShare * last && ms >= beginningMs);
  if (settled.length < fewestSamples) return undefined;
  const third = Math.floor(settled.length / 3);
  const names = [...new Set(settled.flatMap(({ bytes }) => Object.keys(bytes)))];
  return new Map(
    names.map((name) => {
      const first = leastOf(name, settled.slice(0, third));
      const bytes = leastOf(name, settled.slice(-third)) - first;
      return [name, { bytes, share: bytes / first }];
    }),
  );
}

/**
 * @param {string} name
 * @param {readonly Sample[]} samples
 */
function leastOf(name, samples) {
  return samples.reduce((least, { bytes }) => Math.min(least, bytes[name] ?? least), Number.POSITIVE_INFINITY);
}

/**
 * So many of the samples, evenly by texts, the last one among them.
 *
 * @param {readonly Sample[]} samples
 * @param {number} count
 * @returns {Sample[]}
 */
export function pointsOf(samples, count) {
  const last = samples.at(-1)?.texts ?? 0;
  const wanted = Array.from({ length: count }, (_, index) => ((index + 1) * last) / count);
  const found = wanted.map((texts) => samples.find((sample) => sample.texts >= texts));
  return [...new Set(found)].filter((sample) => sample !== undefined);
}

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

/** @typedef {{ bytes: number, share: number }} Growth `share` of what it was at the end of the beginning */

/**
 * Of each kind of memory: how much it grew from the end of the beginning to the end, by the line that fits best; undefined when
 * the run was too short to tell.
 *
 * @param {readonly Sample[]} samples
 * @returns {Map<string, Growth> | undefined}
 */
export function growthOf(samples) {
  const last = samples.at(-1)?.texts ?? 0;
  const settled = samples.filter(({ texts, ms }) => texts >= beginningShare * last && ms >= beginningMs);
  const from = settled[0]?.texts;
  if (from === undefined || settled.length < fewestSamples) return undefined;
  const names = [...new Set(settled.flatMap(({ bytes }) => Object.keys(bytes)))];
  return new Map(
    names.map((name) => {
      const points = settled.flatMap(({ texts, bytes }) => {
        const value = bytes[name];
        return value === undefined ? [] : [{ x: texts, y: value }];
      });
      const { at } = fittedLine(points);
      const bytes = at(last) - at(from);
      return [name, { bytes, share: bytes / at(from) }];
    }),
  );
}

/**
 * Least squares.
 *
 * @param {readonly { x: number, y: number }[]} points
 */
function fittedLine(points) {
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const covariance = mean(points.map(({ x, y }) => (x - meanX) * (y - meanY)));
  const slope = covariance / mean(points.map(({ x }) => (x - meanX) ** 2));
  return { at: (/** @type {number} */ x) => meanY + slope * (x - meanX) };
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

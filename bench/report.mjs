/**
 * @typedef {object} Figure
 * @property {string} key
 * @property {string} label
 * @property {number} texts of each run
 * @property {number} textsPerSecond median of the runs
 * @property {number | null} toCeiling median of the rounds
 * @property {number | null} toNaive median of the rounds
 * @property {number[]} runs texts per second of each
 */

/** @typedef {Map<string, { speed: number, toCeiling: number }>} Round by contender; `speed` in texts per second */
/** @typedef {{ key: string, label: string, texts: number }} Ran */

/**
 * @param {Ran} ran
 * @param {Round[]} rounds
 * @returns {Figure}
 */
export function figureOf({ key, label, texts }, rounds) {
  const ratios = rounds.map((round) => round.get(key)?.toCeiling ?? Number.NaN);
  const toNaive = rounds.map((round, index) => (ratios[index] ?? Number.NaN) / naiveRatio(round));
  const runs = rounds.map((round) => round.get(key)?.speed ?? Number.NaN);
  return figure({ key, label, texts }, { runs, toCeiling: ratios, toNaive });
}

/**
 * @param {Ran} ran
 * @param {number[]} runs
 * @param {Round[]} rounds
 * @returns {Figure}
 */
export function ceilingFigure({ key, label, texts }, runs, rounds) {
  const toNaive = rounds.map((round) => 1 / naiveRatio(round));
  return figure({ key, label, texts }, { runs, toCeiling: [1], toNaive });
}

/** @param {Round} round */
function naiveRatio(round) {
  return round.get('naive')?.toCeiling ?? Number.NaN;
}

/**
 * @param {Ran} ran
 * @param {{ runs: number[], toCeiling: number[], toNaive: number[] }} measured
 * @returns {Figure}
 */
function figure(ran, { runs, toCeiling, toNaive }) {
  const orNull = (/** @type {number} */ ratio) => (Number.isNaN(ratio) ? null : rounded(ratio)); // naive may not run
  return {
    ...ran,
    textsPerSecond: rounded(median(runs)),
    toCeiling: orNull(median(toCeiling)),
    toNaive: orNull(median(toNaive)),
    runs: runs.map(rounded),
  };
}

/**
 * @param {import('./measure.mjs').Measured} measured
 * @returns {string} what a person reads
 */
export function reportOf({ corpus, ceilingBudget, figures, lowestCosines }) {
  const { texts, mean, shortest, longest } = corpus;
  const cosines = figures
    .filter(({ key }) => key !== 'ceiling')
    .map(({ key }) => `${key} ${lowestCosines[key]?.toFixed(7)}`);
  return [
    `${texts} texts of ${shortest} to ${longest} tokens, mean ${mean}; medians; each ratio is to the ceilings run before and after.`,
    '',
    tableOf(figures),
    '',
    `The ceiling's calls have up to ${ceilingBudget} padded tokens, its texts were sorted and tokenized beforehand.`,
    `Lowest cosine to the ceiling's vectors: ${cosines.join(', ')}.`,
  ].join('\n');
}

/** @param {Figure[]} figures */
function tableOf(figures) {
  const head = ['', 'texts', 'runs', 'texts/s', 'of ceiling', 'x naive', 'lowest', 'highest'];
  const body = figures.map(({ label, texts, textsPerSecond, toCeiling, toNaive, runs }) => [
    ...[label, String(texts), String(runs.length), textsPerSecond.toFixed(0)],
    ...[toCeiling?.toFixed(2) ?? '-', toNaive?.toFixed(2) ?? '-'],
    ...[Math.min(...runs).toFixed(0), Math.max(...runs).toFixed(0)],
  ]);
  const rows = [head, ...body];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (/** @type {string[]} */ row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return rows.map(line).join('\n');
}

/**
 * @param {Float32Array[]} vectors
 * @param {Float32Array[]} others
 * @returns {number} the smallest cosine of two vectors of the same text
 */
export function lowestCosine(vectors, others) {
  return Math.min(...vectors.map((vector, index) => cosine(vector, others[index] ?? new Float32Array(vector.length))));
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function cosine(a, b) {
  let [dot, squaresA, squaresB] = [0, 0, 0];
  a.forEach((x, at) => {
    const y = b[at] ?? Number.NaN;
    dot += x * y;
    squaresA += x * x;
    squaresB += y * y;
  });
  return dot / Math.sqrt(squaresA * squaresB);
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] =
    sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1);
  return (low + high) / 2;
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toPrecision(4));
}

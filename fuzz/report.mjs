import { growthOf } from '../soak/curve.mjs';

/** @typedef {import('./run.mjs').Facts} Facts */

const mebibyte = 2 ** 20;
/** Garbage comes and goes by that much. */
const noise = 16 * mebibyte;
const allowedShare = 0.1;
/** Redis keeps the tasks that were accepted. */
const judged = ['api', 'worker'];
const shownFaults = 40;

/** @param {Facts} facts */
export function reportOf({
  options,
  sent,
  raw,
  jobs,
  statuses,
  faults,
  samples,
  ms,
  slowestMs,
  deaths,
  restarts,
  waiting,
}) {
  const byStatus = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  const list = [...faults]
    .slice(0, shownFaults)
    .map(([what, { count, example }]) => `  ${count} x ${what}\n      ${example}`);
  return [
    ...list,
    `fuzz seed ${options.seed}: ${sent} requests, ${raw} connections of raw bytes, ${jobs} jobs in ${(ms / 1000).toFixed(0)} s`,
    `answers: ${byStatus.join(', ')}; the slowest took ${Math.round(slowestMs)} ms`,
    `${waiting} tasks wait or run in the end, ${restarts} compute processes were replaced`,
    memoryOf(samples),
    `${faults.size} kinds of faults, ${deaths.length} deaths${deaths.length > 0 ? `: ${deaths.join('; ')}` : ''}`,
  ].join('\n');
}

/** @param {Facts} facts */
export function isWell({ faults, deaths, samples }) {
  return faults.size === 0 && deaths.length === 0 && isFlat(samples);
}

/** @param {Facts['samples']} samples */
function isFlat(samples) {
  const growth = growthOf(samples) ?? new Map();
  return judged.every((name) => {
    const { bytes = 0, share = 0 } = growth.get(name) ?? {};
    return bytes <= noise || share <= allowedShare;
  });
}

/** @param {Facts['samples']} samples */
function memoryOf(samples) {
  const growth = growthOf(samples);
  const last = samples.at(-1)?.bytes ?? {};
  const now = Object.entries(last).map(([name, bytes]) => `${name} ${(bytes / mebibyte).toFixed(0)} MiB`);
  if (growth === undefined) return `memory: ${now.join(', ')}; too short to tell whether anything grows`;
  const parts = [...growth].map(
    ([name, { bytes, share }]) => `${name} ${(bytes / mebibyte).toFixed(1)} MiB (${(100 * share).toFixed(1)} %)`,
  );
  return `memory: ${now.join(', ')}; growth from the first third to the last: ${parts.join(', ')}`;
}

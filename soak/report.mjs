import { growthOf, pointsOf } from './curve.mjs';

/** @typedef {import('./curve.mjs').Sample} Sample */
/**
 * @typedef {object} Facts
 * @property {import('./options.mjs').Options} options
 * @property {Sample[]} samples
 * @property {number} failed tasks that did not succeed, or gave too few results
 * @property {number} restarts of lanes
 */

const shownPoints = 20;
const mebibyte = 2 ** 20;

/** Between two collections of garbage memory comes and goes by that much: less is no growth, whatever its share. */
const noise = 16 * mebibyte;

/** Shown, and not judged: the worker's heap is part of its memory, and Redis, which holds results for a minute, follows the speed. */
const notJudged = ['its heap', 'redis'];

/**
 * @param {Facts} facts
 * @returns {string}
 */
export function reportOf({ options, samples, failed, restarts }) {
  const names = namesOf(samples);
  const rows = pointsOf(samples, shownPoints).map(({ texts, ms, bytes }) => [
    texts.toLocaleString('en'),
    (ms / 1000).toFixed(0),
    ...names.map((name) => ((bytes[name] ?? 0) / mebibyte).toFixed(0)),
  ]);
  const last = samples.at(-1);
  const speed = last === undefined ? 0 : Math.round(last.texts / (last.ms / 1000));
  return [
    `Memory in MiB, ${options.kinds.join(' and ')}, in tasks of 250 texts:`,
    '',
    ...table([['texts', 's', ...names], ...rows]),
    '',
    `${last?.texts.toLocaleString('en')} texts, ${speed.toLocaleString('en')} a second, ${failed} failed, ${restarts} restarts of lanes`,
    verdictOf(growthOf(samples), options.growth),
  ].join('\n');
}

/**
 * @param {ReturnType<typeof growthOf>} growth
 * @param {number} allowed
 */
function verdictOf(growth, allowed) {
  if (growth === undefined) return 'too short to tell whether anything grows: send more texts';
  const parts = [...growth].map(
    ([name, { bytes, share }]) => `${name} ${(bytes / mebibyte).toFixed(1)} MiB (${percent(share)})`,
  );
  const limits = `${percent(allowed)}, and ${noise / mebibyte} MiB in any case`;
  return `growth from the first third to the last: ${parts.join(', ')}; allowed: ${limits} (${notJudged.join(' and ')} are not judged)`;
}

/**
 * Whether all is well: nothing failed or died, and no memory grew, as far as can be told.
 *
 * @param {Facts} facts
 */
export function isFlat({ options, samples, failed, restarts }) {
  const growth = [...(growthOf(samples) ?? [])].filter(([name]) => !notJudged.includes(name));
  return (
    failed === 0 && restarts === 0 && growth.every(([, { bytes, share }]) => bytes <= noise || share <= options.growth)
  );
}

/** @param {readonly Sample[]} samples */
function namesOf(samples) {
  return [...new Set(samples.flatMap(({ bytes }) => Object.keys(bytes)))];
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/**
 * @param {string[][]} rows
 * @returns {string[]}
 */
function table(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '));
}

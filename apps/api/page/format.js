/** Numbers and times as people read them. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hour12: false });
const moment = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium', hour12: false });

/** What stands where there is no value. */
export const none = '–';

/**
 * A count in full, or shortened from a million on.
 * @param {number} value
 */
export function count(value) {
  return Math.abs(value) < 1_000_000 ? whole.format(value) : short.format(value);
}

/**
 * A number with one decimal below ten, none above, and none if it is whole.
 * @param {number} value
 */
export function rate(value) {
  if (value >= 9.95 || Number.isInteger(value)) return count(value);
  return value < 0.05 ? '< 0.1' : value.toFixed(1);
}

/** @param {number} share of 1 */
export function percent(share) {
  if (share > 0 && share < 0.095) return share < 0.0005 ? '< 0.1 %' : `${(share * 100).toFixed(1)} %`;
  return `${whole.format(share * 100)} %`;
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

/**
 * Bytes in steps of 1,024, with the units that people use for them.
 * @param {number} value
 */
export function bytes(value) {
  const step = value < 1 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log2(value) / 10));
  const amount = value / 1024 ** step;
  return `${amount >= 100 || step === 0 ? whole.format(amount) : amount.toFixed(1)} ${byteUnits[step]}`;
}

/**
 * A length of time in its two largest units.
 * @param {number} ms
 */
export function duration(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return `${Math.round(Math.max(0, ms))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return two(seconds, [60, 'min'], [1, 's']);
  return seconds < 86_400 ? two(seconds, [3600, 'h'], [60, 'min']) : two(seconds, [86_400, 'd'], [3600, 'h']);
}

/**
 * @param {number} seconds
 * @param {[number, string]} large
 * @param {[number, string]} small
 */
function two(seconds, [large, largeUnit], [small, smallUnit]) {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}

/**
 * How many of something there were in the last sixty seconds, out of counts by minute: all of the minute that is running, and as
 * much of the one before as is not over yet.
 * @param {readonly number[]} byMinute the oldest first
 * @param {number} now in ms since 1970
 */
export function inLastMinute(byMinute, now) {
  const [before = 0, current = 0] = byMinute.slice(-2);
  return Math.round(current + before * (1 - (now % 60_000) / 60_000));
}

/**
 * A length of time in one unit, which does not change with every second.
 * @param {number} ms
 */
export function roughly(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** @param {number} ms */
export function ago(ms) {
  return ms < 1500 ? 'now' : `${roughly(ms)} ago`;
}

/** @param {number | Date} time */
export function clockTime(time) {
  return clock.format(time);
}

/** @param {string} time ISO 8601 */
export function fullTime(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : moment.format(date);
}

/**
 * `1 task`, `12 tasks`.
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export function amount(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

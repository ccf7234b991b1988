/**
 * @typedef {object} Run
 * @property {number} ms
 * @property {Float32Array[]} vectors one a text, in the order of the texts
 */

/**
 * One way to turn texts into vectors. It is warm when it is opened, idle between runs, and runs alone.
 *
 * @typedef {object} Contender
 * @property {string} key
 * @property {string} label as the table shows it
 * @property {number} mostTexts slower ones run fewer, taken evenly over the lengths
 * @property {(texts: readonly string[]) => Promise<Run>} run
 */

/**
 * @typedef {object} Bench what every contender is opened with
 * @property {number} cores children of the ceiling, lanes of Millrace
 * @property {string} redisUrl
 * @property {string} folder for temporary files, deleted in the end
 * @property {import('./closers.mjs').Closers} closers
 * @property {AbortSignal} signal
 */

export {};

import { describeError } from '../setup/refusal.mjs';

/** @typedef {{ name: string, close: (force: AbortSignal) => Promise<void> }} Closer */
/**
 * @typedef {object} Closers
 * @property {(closer: Closer) => void} add
 * @property {(force: AbortSignal) => Promise<boolean>} closeAll force: aborted when a person asks again, no more grace then.
 *   Tells whether all closed as they should; a second call waits for the first
 */

/**
 * Closes in reverse of opening; all are tried, even if one fails.
 *
 * @param {import('../setup/terminal.mjs').Terminal} terminal
 * @returns {Closers}
 */
export function createClosers(terminal) {
  /** @type {Closer[]} */
  const stack = [];
  /** @type {Promise<boolean> | undefined} */
  let closing;

  /** @param {AbortSignal} force */
  async function run(force) {
    let clean = true;
    for (let closer = stack.pop(); closer !== undefined; closer = stack.pop()) {
      terminal.step(`Stopping ${closer.name} …`);
      try {
        await closer.close(force);
      } catch (error) {
        clean = false;
        terminal.say(describeError(error));
      }
    }
    return clean;
  }

  return {
    add(closer) {
      stack.push(closer);
    },
    closeAll(force) {
      closing ??= run(force);
      return closing;
    },
  };
}

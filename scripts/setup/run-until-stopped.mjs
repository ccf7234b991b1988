import { setMaxListeners } from 'node:events';
import { watchStopRequests } from './stop-requests.mjs';

/**
 * @typedef {object} Stoppable
 * @property {() => Promise<void>} close
 */

/**
 * Runs a long program until it has ended or somebody stops it, closes what it has opened, and ends the process: with the code that the
 * program gives, 1 when it gives none, 130 when it was stopped.
 *
 * @template {Stoppable} C
 * @param {C} closers
 * @param {(params: { closers: C, signal: AbortSignal }) => Promise<number | undefined>} run
 */
export async function runUntilStopped(closers, run) {
  const requests = watchStopRequests();
  setMaxListeners(0, requests.stop); // whoever waits listens
  const stopped = new Promise((resolve) => requests.stop.addEventListener('abort', resolve, { once: true }));
  try {
    const running = run({ closers, signal: requests.stop });
    running.catch(() => {}); // once stopped, processes that end make it fail
    process.exitCode = (await Promise.race([running, stopped.then(() => 130)])) ?? 1;
  } finally {
    await closers.close();
    requests.release();
  }
  process.exit();
}

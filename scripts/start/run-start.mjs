import { join } from 'node:path';
import { prepare } from '../setup/prepare.mjs';
import { describeError } from '../setup/refusal.mjs';
import { ROOT } from '../setup/root.mjs';
import { watchStopRequests } from '../setup/stop-requests.mjs';
import { createTerminal } from '../setup/terminal.mjs';
import { takeLock } from './lock.mjs';
import { refuseTakenPort } from './port-check.mjs';
import { readSettings } from './settings.mjs';
import { supervise } from './supervise.mjs';

/**
 * @typedef {object} StartOptions
 * @property {string} root
 * @property {import('../setup/root.mjs').Env} env
 * @property {string[]} args
 * @property {import('./supervise.mjs').Apps} apps
 * @property {(options: import('../setup/prepare.mjs').PrepareOptions) => Promise<void>} prepare
 */

/** `npm start`. */
export async function main() {
  const apps = {
    api: join(ROOT, 'apps', 'api', 'dist', 'main.js'),
    worker: join(ROOT, 'apps', 'worker', 'dist', 'main.js'),
  };
  process.exitCode = await start({ root: ROOT, env: process.env, args: process.argv.slice(2), apps, prepare });
}

/**
 * Everything from the first check to the last line; what can be refused at once is refused before the slow steps.
 *
 * @param {StartOptions} options
 * @returns {Promise<number>} the exit code
 */
export async function start({ root, env, args, apps, prepare: setUp }) {
  const terminal = createTerminal();
  const requests = watchStopRequests();
  /** @type {{ release: () => void } | undefined} */
  let lock;
  try {
    const settings = readSettings({ root, env, args });
    lock = takeLock(join(settings.home, 'start.lock'), settings.address);
    await refuseTakenPort(settings);
    await setUp({ root, terminal, env: settings.env, signal: requests.stop });
    if (requests.stop.aborted) return 0;
    const print = (/** @type {string} */ text) => void process.stdout.write(text);
    return await supervise({ root, settings, terminal, print, requests, apps });
  } catch (error) {
    if (requests.stop.aborted) return 0;
    terminal.say(describeError(error));
    return 1;
  } finally {
    lock?.release();
    if (requests.stop.aborted) terminal.step('Stopped.');
    requests.release();
  }
}

import { findRedisBinary } from '../redis/find-binary.mjs';
import { prepare } from './prepare.mjs';
import { describeError } from './refusal.mjs';
import { homeFolder, ROOT } from './root.mjs';
import { watchStopRequests } from './stop-requests.mjs';
import { createTerminal } from './terminal.mjs';

/** @typedef {import('./prepare.mjs').PrepareOptions & { binary: string }} SetUp binary: a Redis server's path */

/** `npm run setup`: all that tests and benchmarks need, and nothing started. */
export async function main() {
  await withSetUp(async ({ terminal, binary }) => {
    terminal.step(`Ready; the Redis server is ${binary}.`);
    return 0;
  });
}

/**
 * Sets up, then runs what needs it; the process ends with the code it returns, or 1 with one sentence.
 *
 * @param {(setUp: SetUp) => Promise<number>} body
 */
export async function withSetUp(body) {
  const requests = watchStopRequests();
  const terminal = createTerminal();
  const options = { root: ROOT, terminal, env: process.env, signal: requests.stop };
  try {
    await prepare(options);
    const binary = await findRedisBinary({ ...options, home: homeFolder(process.env) });
    process.exitCode = await body({ ...options, binary });
  } catch (error) {
    terminal.say(requests.stop.aborted ? 'Stopped.' : describeError(error));
    process.exitCode = 1;
  } finally {
    requests.release();
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const howToStart = 'start Millrace with `npm start` in another terminal and try again.';

/** What to say of the errors that only mean that Millrace does not run, by their code. */
const notRunning = new Map([
  ['ERR_MODULE_NOT_FOUND', `Millrace is not installed and built yet: ${howToStart}`],
  ['REDIS_UNAVAILABLE', `The Redis of Millrace does not answer: ${howToStart}`],
  ['WAIT_TIMEOUT', `Redis answers, but no worker of Millrace does: ${howToStart}`],
  ['EXPIRED', `Redis answers, but no worker of Millrace does: ${howToStart}`],
]);

/**
 * Runs an example against the Millrace that runs here; says in one sentence what to start when none does.
 *
 * @param {(mill: { redisUrl: string, prefix: string | undefined, ownText: string | undefined }) => Promise<void>} example
 */
export async function runExample(example) {
  try {
    // The settings that `npm start` reads too; the environment wins.
    const envFile = join(root, '.env');
    if (existsSync(envFile)) process.loadEnvFile(envFile);
    const redisUrl = process.env['REDIS_URL'] || privateRedisUrl();
    if (redisUrl === undefined) throw new Error(`No Millrace runs here: ${howToStart}`);
    const ownText = process.argv.slice(2).join(' ').trim() || undefined;
    await example({ redisUrl, prefix: process.env['MILLRACE_PREFIX'] || undefined, ownText });
  } catch (error) {
    console.error(sentenceFor(error));
    process.exitCode = 1;
  }
}

/** The Redis that a running `npm start` has opened for itself; its address is in the data folder. */
function privateRedisUrl() {
  const record = resolve(root, process.env['MILLRACE_HOME'] || '.millrace', 'redis.json');
  if (!existsSync(record)) return undefined;
  /** @type {{ url: string }} */
  const { url } = JSON.parse(readFileSync(record, 'utf8'));
  return url;
}

/** @param {unknown} error */
function sentenceFor(error) {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return notRunning.get(code) ?? error.message;
}

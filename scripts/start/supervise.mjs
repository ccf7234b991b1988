import { join } from 'node:path';
import { lastLines } from '../setup/command.mjs';
import { describeError, Refusal } from '../setup/refusal.mjs';
import { openAppLog } from './app-log.mjs';
import { startApp } from './app-process.mjs';
import { createClosers } from './closers.mjs';
import { greeting } from './greeting.mjs';
import { openRedis } from './open-redis.mjs';
import { waitUntilReady } from './readiness.mjs';

/** @typedef {{ api: string, worker: string }} Apps their compiled entry points */
/** @typedef {{ sentence: string, logFile: string, detail: string }} Loss a part that ended unasked */
/**
 * @typedef {object} Supervision
 * @property {string} root
 * @property {import('./settings.mjs').Settings} settings
 * @property {import('../setup/terminal.mjs').Terminal} terminal
 * @property {(text: string) => void} print to stdout
 * @property {{ stop: AbortSignal, force: AbortSignal }} requests
 * @property {Apps} apps
 */

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

/**
 * Opens Redis, the API and a worker in this order, waits for a stop request or for one of them to end unasked, and
 * closes in the reverse order.
 *
 * @param {Supervision} supervision
 * @returns {Promise<number>} the exit code
 */
export async function supervise(supervision) {
  const { terminal, requests } = supervision;
  const closers = createClosers(terminal);
  let failed = false;
  try {
    const { lost } = await open(supervision, closers);
    const loss = await Promise.race([lost, aborted(requests.stop)]);
    if (loss !== undefined) refuseLoss(loss);
  } catch (error) {
    // A step that failed because it was told to stop is no failure.
    failed = !requests.stop.aborted;
    if (failed) terminal.say(describeError(error));
  }
  const clean = await closers.closeAll(requests.force);
  return failed || !clean || requests.force.aborted ? 1 : 0;
}

/**
 * @param {Supervision} supervision
 * @param {import('./closers.mjs').Closers} closers
 * @returns {Promise<{ lost: Promise<Loss> }>} in an object, so that awaiting this does not await the loss
 */
async function open({ root, settings, terminal, print, requests, apps }, closers) {
  const redis = await openRedis({ settings, terminal, signal: requests.stop });
  if (redis.close) closers.add({ name: 'Redis', close: redis.close });
  requests.stop.throwIfAborted();
  const { home, port, host, address, verbose } = settings;
  const env = { ...settings.env, REDIS_URL: redis.url, MILLRACE_HOME: home, PORT: String(port), HOST: host };
  const losses = [redis.lost];
  for (const [name, title] of /** @type {const} */ ([
    ['api', 'the API'],
    ['worker', 'the worker'],
  ])) {
    const log = openAppLog(join(home, 'logs', `${name}.log`), { print, verbose });
    terminal.step(`Starting ${title}; its log is ${log.path}.`);
    const app = startApp({ entry: apps[name], cwd: root, env, log });
    closers.add({ name: title, close: app.stop });
    losses.push(app.exited.then((how) => appLoss(title, how, log)));
  }
  const lost = Promise.race(losses);
  const loss = await Promise.race([lost, waitUntilReady({ address, signal: requests.stop })]);
  if (loss !== undefined) refuseLoss(loss);
  requests.stop.throwIfAborted();
  const needsKey = Boolean(settings.env['MILLRACE_API_KEYS']) || !LOOPBACK.includes(host);
  print(greeting({ address, redis: redis.shown, home, needsKey, seconds: performance.now() / 1000 }));
  return { lost };
}

/**
 * @param {string} title
 * @param {import('./app-process.mjs').AppExit} how
 * @param {import('./app-log.mjs').AppLog} log
 * @returns {Loss}
 */
function appLoss(title, { code, signal }, log) {
  const sentence = `${title.replace(/^t/, 'T')} ended unexpectedly (${signal ?? `exit code ${code}`})`;
  return { sentence, logFile: log.path, detail: lastLines(log.helpfulLines().join('\n'), Infinity) };
}

/**
 * @param {Loss} loss
 * @returns {never}
 */
function refuseLoss({ sentence, logFile, detail }) {
  const end = detail === '' ? `; its log is ${logFile}.` : `; from its log (${logFile}):\n${detail}`;
  throw new Refusal(sentence + end);
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<undefined>}
 */
function aborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { lastLines } from '../setup/command.mjs';
import { Refusal } from '../setup/refusal.mjs';
import { askRedis } from './ask.mjs';
import { freePort } from './free-port.mjs';

/**
 * @typedef {object} ServerOptions
 * @property {string} binary
 * @property {string} dir where the append-only file is kept
 * @property {string} logFile appended to
 * @property {number} [port] default: a free one
 * @property {string[]} [args] more of redis-server's options; they win over those below
 * @property {boolean} [detached] survives this process (and a Ctrl-C in its terminal), to be adopted later
 * @property {AbortSignal} [signal]
 * @property {(server: { pid: number, port: number, url: string }) => void} [onSpawn] called before it answers
 */
/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Exit */
/**
 * @typedef {object} Server
 * @property {number} pid
 * @property {number} port
 * @property {string} url
 * @property {Promise<Exit>} exited
 * @property {(signal?: NodeJS.Signals) => Promise<void>} stop resolves when it has ended; SIGTERM writes all data first
 */

const HOST = '127.0.0.1';
const POLL_MS = 20;
const ANSWER_WITHIN_MS = 30_000; // loading a large append-only file is not counted: it answers LOADING
const PORT_TRIES = 5;

/**
 * Starts a Redis (or Valkey) of our own and waits until it takes commands. The one place that does so: npm start,
 * the tests and the bench use it.
 *
 * @param {ServerOptions} options
 * @returns {Promise<Server>}
 */
export async function startServer(options) {
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort(HOST));
    const { server, problem } = await tryStart(options, port);
    if (problem === undefined) return server;
    // Between looking for a free port and taking it, another process may have taken it.
    const lostRace = options.port === undefined && /address already in use/i.test(problem);
    if (!lostRace || tries === PORT_TRIES) {
      throw new Refusal(
        `${options.binary} did not start on port ${port}; its log (${options.logFile}) ends with:\n${problem}`,
      );
    }
  }
}

/**
 * @param {ServerOptions} options
 * @param {number} port
 * @returns {Promise<{ server: Server, problem?: string }>}
 */
async function tryStart(options, port) {
  const server = spawnServer(options, port);
  options.onSpawn?.(server);
  /** @type {Exit | undefined} */
  let exit;
  void server.exited.then((value) => (exit = value));
  const deadline = performance.now() + ANSWER_WITHIN_MS;
  for (;;) {
    const { state, pid } = await serverAt(server.url);
    // Another process may have taken the port, and be a Redis too.
    if (state === 'ready' && pid === server.pid) return { server };
    if (exit !== undefined) return { server, problem: logTail(options.logFile) };
    if (options.signal?.aborted) {
      await server.stop();
      throw new Refusal('Stopped while Redis was starting.');
    }
    if (state === 'silent' && performance.now() > deadline) {
      await server.stop('SIGKILL');
      return { server, problem: `    no answer within ${ANSWER_WITHIN_MS / 1000} s\n${logTail(options.logFile)}` };
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * @param {ServerOptions} options
 * @param {number} port
 * @returns {Server}
 */
function spawnServer(options, port) {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const child = spawn(options.binary, serverArguments(options, port), {
    // Redis 7.2 refuses to start under a locale that this machine does not have.
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', log, log],
    detached: options.detached ?? false,
  });
  closeSync(log);
  /** @type {Promise<Exit>} */
  const exited = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  const stop = async (/** @type {NodeJS.Signals} */ signal = 'SIGTERM') => {
    child.kill(signal);
    child.kill('SIGCONT'); // a test may have frozen it
    if (child.pid !== undefined) await exited;
  };
  return { pid: child.pid ?? 0, port, url: `redis://${HOST}:${port}`, exited, stop };
}

/**
 * @param {ServerOptions} options
 * @param {number} port
 */
function serverArguments({ dir, args = [] }, port) {
  // No eviction: BullMQ's keys must never go. The append-only file is what makes an accepted task durable; snapshots
  // (save) would only cost a fork.
  const ours = ['--bind', HOST, '--port', String(port), '--dir', dir, '--daemonize', 'no', '--save', ''];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];
  return [...ours, ...durable, ...args];
}

/**
 * @param {string} url
 * @returns {Promise<{ state: 'ready' | 'loading' | 'silent', pid?: number, dir?: string }>} who answers there
 */
export async function serverAt(url) {
  try {
    const [pong, info, folder] = await askRedis(url, [['PING'], ['INFO', 'server'], ['CONFIG', 'GET', 'dir']], {
      timeoutMs: 1000,
    });
    const state = pong instanceof Error ? 'loading' : 'ready';
    const pid = Number(/process_id:(\d+)/.exec(String(info))?.[1]);
    return { state, pid, dir: Array.isArray(folder) ? String(folder[1]) : '' };
  } catch {
    return { state: 'silent' };
  }
}

/** @param {string} logFile */
function logTail(logFile) {
  try {
    return lastLines(readFileSync(logFile, 'utf8'), 8);
  } catch {
    return '';
  }
}

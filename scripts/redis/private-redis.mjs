import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { readJson, writeJson } from '../setup/json-file.mjs';
import { startTimeOf, stillRuns } from '../setup/process-identity.mjs';
import { Refusal } from '../setup/refusal.mjs';
import { rotateLog } from '../setup/rotate-log.mjs';
import { rememberWriter, unreadableData, writerOf } from './data-writer.mjs';
import { serverAt, startServer } from './server.mjs';

/** @typedef {{ pid: number, port: number, url: string, startTime: string }} RedisRecord what MILLRACE_HOME/redis.json holds */
/**
 * @typedef {object} PrivateRedis
 * @property {string} url
 * @property {number} pid
 * @property {boolean} adopted it was left running by a start that was killed
 * @property {string} logFile
 * @property {Promise<void>} ended
 * @property {() => Promise<void>} stop never by force: it must be able to write its data
 */
/**
 * @typedef {object} PrivateRedisOptions
 * @property {string} home
 * @property {() => Promise<string>} findBinary called only if none runs yet
 * @property {AbortSignal} signal
 */

const POLL_MS = 50;
const WATCH_MS = 500;
const SILENT_LIMIT_MS = 5000;
const STOP_LIMIT_MS = 30_000;

/**
 * The Redis of this data folder: the one that still runs, else a new one. Two on one append-only file would destroy
 * it, so one that runs but does not answer is refused, never passed over.
 *
 * @param {PrivateRedisOptions} options
 * @returns {Promise<PrivateRedis>}
 */
export async function openPrivateRedis({ home, findBinary, signal }) {
  const recordFile = join(home, 'redis.json');
  const dir = join(home, 'redis');
  const logFile = join(home, 'logs', 'redis.log');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const running = await findRunning(recordFile, dir, signal);
  if (running !== undefined) return handle(running, { adopted: true, logFile, recordFile });
  const binary = (await writerOf(home, signal)) ?? (await findBinary());
  rotateLog(logFile);
  /** @type {RedisRecord | undefined} */
  let record;
  await startServer({
    binary,
    dir,
    logFile,
    signal,
    // Enqueue is refused near the limit, and work goes on; without one, Redis would grow until the system ends it.
    args: ['--maxmemory', String(Math.floor(totalmem() / 2))],
    detached: true,
    // Written in the same tick as it is spawned: if we are killed now, the next start must still find it.
    onSpawn({ pid, port, url }) {
      record = { pid, port, url, startTime: startTimeOf(pid) ?? '' };
      writeJson(recordFile, record);
    },
  }).catch((error) => {
    const sentence = unreadableData(home, binary, error);
    throw sentence === undefined ? error : new Refusal(sentence);
  });
  await rememberWriter(home, binary, signal);
  if (record === undefined) throw new Error('a server that was never spawned answered');
  return handle(record, { adopted: false, logFile, recordFile });
}

/**
 * @param {string} recordFile
 * @param {string} dir
 * @param {AbortSignal} signal
 * @returns {Promise<RedisRecord | undefined>}
 */
async function findRunning(recordFile, dir, signal) {
  const record = /** @type {RedisRecord | undefined} */ (readJson(recordFile));
  if (record === undefined) return undefined;
  let deadline = performance.now() + SILENT_LIMIT_MS;
  // It may be on its way out, or still be reading its file.
  while (stillRuns(record)) {
    const { state, pid, dir: itsDir } = await serverAt(record.url);
    if (state !== 'silent' && (pid !== record.pid || itsDir !== realpathSync(dir))) return undefined;
    if (state === 'ready') return record;
    if (state === 'loading') deadline = performance.now() + SILENT_LIMIT_MS;
    if (signal.aborted) throw new Refusal('Stopped while waiting for Redis.');
    if (performance.now() > deadline) {
      throw new Refusal(
        `The Redis of this data folder (process ${record.pid}) runs but does not answer; end it with \`kill ${record.pid}\` and start again.`,
      );
    }
    await pause(POLL_MS);
  }
  return undefined;
}

/**
 * By pid alone, so that an adopted server, which is not our child, is treated like one that we started.
 *
 * @param {RedisRecord} record
 * @param {{ adopted: boolean, logFile: string, recordFile: string }} about
 * @returns {PrivateRedis}
 */
function handle(record, { adopted, logFile, recordFile }) {
  const watching = new AbortController();
  return {
    url: record.url,
    pid: record.pid,
    adopted,
    logFile,
    ended: watchEnd(record, watching.signal),
    async stop() {
      watching.abort();
      if (stillRuns(record)) process.kill(record.pid, 'SIGTERM');
      const deadline = performance.now() + STOP_LIMIT_MS;
      while (stillRuns(record)) {
        if (performance.now() > deadline) {
          // Never SIGKILL: it may be writing. The record stays, so that the next start adopts it or says what to do.
          throw new Refusal(
            `Redis (process ${record.pid}) has not ended in ${STOP_LIMIT_MS / 1000} s and was left running.`,
          );
        }
        await pause(POLL_MS);
      }
      rmSync(recordFile, { force: true });
    },
  };
}

/**
 * @param {RedisRecord} record
 * @param {AbortSignal} signal no more watching: never settles then
 * @returns {Promise<void>}
 */
function watchEnd(record, signal) {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (stillRuns(record)) return;
      clearInterval(timer);
      resolve();
    }, WATCH_MS);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  });
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readJson } from '../setup/json-file.mjs';
import { startTimeOf, stillRuns } from '../setup/process-identity.mjs';
import { Refusal } from '../setup/refusal.mjs';

/** @typedef {{ pid: number, startTime: string, address: string }} Holder */

/**
 * One `npm start` per data folder. The lock of a start that was killed is taken over.
 *
 * @param {string} path
 * @param {string} address where this start will be reached, for the one that is refused
 * @returns {{ release: () => void }}
 */
export function takeLock(path, address) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${path}.${process.pid}`;
  /** @type {Holder} */
  const holder = { pid: process.pid, startTime: startTimeOf(process.pid) ?? '', address };
  writeFileSync(mine, `${JSON.stringify(holder)}\n`);
  try {
    while (!tryLink(mine, path)) clearStale(path);
  } finally {
    rmSync(mine, { force: true });
  }
  return {
    release() {
      if (/** @type {Holder | undefined} */ (readJson(path))?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}

/**
 * A link is made whole or not at all, and only if the name is free.
 *
 * @param {string} from
 * @param {string} to
 */
function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path */
function clearStale(path) {
  refuseIfHeld(path);
  // Another start may have cleared it and taken the lock since we looked: move it away, look again, and put it back.
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return; // already cleared
  }
  try {
    refuseIfHeld(aside);
  } catch (error) {
    tryLink(aside, path);
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @param {string} path */
function refuseIfHeld(path) {
  const holder = /** @type {Holder | undefined} */ (readJson(path));
  if (holder === undefined || !stillRuns(holder)) return;
  throw new Refusal(
    `Millrace already runs with this data folder at ${holder.address} (process ${holder.pid}); ` +
      'stop that one with Ctrl-C, or start another with `MILLRACE_HOME=.millrace-2 PORT=3001 npm start`.',
  );
}

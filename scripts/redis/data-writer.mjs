import { join } from 'node:path';
import { readJson, writeJson } from '../setup/json-file.mjs';
import { serverVersion } from './on-path.mjs';

/**
 * Which server wrote a data folder. An older Redis cannot read what a newer one or a Valkey wrote, and takes it for
 * damaged; so the first server found stays the one of its folder, also when another comes onto PATH later.
 *
 * @typedef {{ binary: string, version: string }} DataWriter
 */

/** @param {string} home */
function recordPath(home) {
  return join(home, 'redis-binary.json');
}

/**
 * @param {string} home
 * @param {AbortSignal} signal
 * @returns {Promise<string | undefined>} its path, if it still runs here
 */
export async function writerOf(home, signal) {
  const writer = /** @type {DataWriter | undefined} */ (readJson(recordPath(home)));
  if (typeof writer?.binary !== 'string') return undefined;
  return (await serverVersion(writer.binary, signal)) === undefined ? undefined : writer.binary;
}

/**
 * @param {string} home
 * @param {string} binary
 * @param {AbortSignal} signal
 */
export async function rememberWriter(home, binary, signal) {
  const version = (await serverVersion(binary, signal)) ?? '';
  writeJson(recordPath(home), /** @type {DataWriter} */ ({ binary, version }));
}

/**
 * @param {string} home
 * @param {string} binary
 * @param {unknown} error why it did not start
 * @returns {string | undefined} the sentence for a server that cannot read another's data
 */
export function unreadableData(home, binary, error) {
  if (!/bad file format|can't handle rdb format/i.test(String(error))) return undefined;
  const writer = /** @type {DataWriter | undefined} */ (readJson(recordPath(home)));
  if (writer === undefined || writer.binary === binary) return undefined; // really damaged: its log says more
  return (
    `${binary} cannot read the tasks in ${join(home, 'redis')}, which ${writer.binary} ${writer.version} wrote; install that server again, ` +
    `or begin anew with \`mv ${home} ${home}.old\` (do not "fix" the file, that would cut it off).`
  );
}

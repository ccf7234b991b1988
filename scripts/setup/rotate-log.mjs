import { renameSync } from 'node:fs';

/**
 * Keeps one previous log beside the new one.
 *
 * @param {string} path
 */
export function rotateLog(path) {
  try {
    renameSync(path, `${path}.1`);
  } catch {
    // there was none
  }
}

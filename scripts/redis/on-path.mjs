import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runCommand } from '../setup/command.mjs';

const NAMES = ['redis-server', 'valkey-server'];

// Older ones lack commands that BullMQ and our scripts use.
const OLDEST = [6, 2];

/**
 * @param {import('./find-binary.mjs').FinderOptions} options
 * @returns {Promise<string | undefined>}
 */
export async function binaryOnPath({ env, terminal, signal }) {
  for (const name of NAMES) {
    for (const folder of (env['PATH'] ?? '').split(delimiter)) {
      const path = join(folder, name);
      if (folder === '' || !isExecutable(path)) continue;
      const version = await serverVersion(path, signal);
      if (version !== undefined && isNewEnough(version)) return path;
      terminal.say(
        `${path} ${version === undefined ? 'does not run' : `is ${version}`}; Redis ${OLDEST.join('.')} or newer is needed, looking further.`,
      );
    }
  }
  return undefined;
}

/**
 * @param {string} path
 * @param {AbortSignal} signal
 * @returns {Promise<string | undefined>} e.g. '7.0.15'; undefined when it does not run here (another libc, another CPU)
 */
export async function serverVersion(path, signal) {
  const { ok, output } = await runCommand(path, ['--version'], { signal });
  return ok ? /\bv=(\d+\.\d+\.\d+)/.exec(output)?.[1] : undefined;
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

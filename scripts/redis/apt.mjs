import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { lastLines, runCommand } from '../setup/command.mjs';
import { binaryOnPath } from './on-path.mjs';

/** @typedef {import('./find-binary.mjs').FinderOptions} FinderOptions */

const APT = '/usr/bin/apt-get';

/**
 * Whether the system may be changed: only as root on a system with apt-get, after a yes in the terminal, or without a
 * terminal where that was agreed to beforehand.
 *
 * @param {{ uid: number | undefined, hasApt: boolean, isTerminal: boolean, env: import('../setup/root.mjs').Env }} machine
 * @returns {'no' | 'ask' | 'yes'}
 */
export function aptPermission({ uid, hasApt, isTerminal, env }) {
  if (uid !== 0 || !hasApt) return 'no';
  if (env['MILLRACE_INSTALL_REDIS'] === '1') return 'yes';
  if (isTerminal) return 'ask';
  return isSet(env['CI']) ? 'yes' : 'no';
}

/** @param {string | undefined} value */
function isSet(value) {
  return value !== undefined && !['', '0', 'false'].includes(value);
}

/**
 * @param {FinderOptions} options
 * @returns {Promise<string | undefined>}
 */
export async function installByApt(options) {
  const { env, terminal, signal } = options;
  const isTerminal = process.stdin.isTTY === true;
  const permission = aptPermission({ uid: process.getuid?.(), hasApt: existsSync(APT), isTerminal, env });
  if (permission === 'no' || (permission === 'ask' && !(await confirm(signal)))) return undefined;
  terminal.step('Installing redis-server (apt-get) …');
  const aptEnv = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', 'redis-server'],
  ]) {
    const { ok, output } = await runCommand(APT, args, { env: aptEnv, signal });
    // An update that fails for one source of several still leaves lists that do.
    if (ok || args[0] === 'update') continue;
    terminal.say(`apt-get could not install redis-server:\n${lastLines(output, 5)}`);
    return undefined;
  }
  return binaryOnPath(options);
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
async function confirm(signal) {
  // Not readline's own terminal mode: it would swallow Ctrl-C.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const ended = new Promise((resolve) => lines.once('close', () => resolve('')));
  try {
    const question = lines.question('No Redis was found. Install redis-server with apt-get? [y/N] ', { signal });
    const answer = await Promise.race([question, ended]);
    return /^y(es)?$/i.test(String(answer).trim());
  } catch {
    return false; // stopped while asking
  } finally {
    lines.close();
  }
}

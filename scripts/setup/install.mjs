import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runCommand } from './command.mjs';
import { Refusal } from './refusal.mjs';

/** @typedef {import('./terminal.mjs').Terminal} Terminal */
/** @typedef {{ version?: string, integrity?: string, resolved?: string, optional?: boolean, devOptional?: boolean }} LockEntry */

const STAMP = join('node_modules', '.millrace-installed');
const PLATFORM = `${process.platform}-${process.arch}-${process.versions.modules}`;

/**
 * `npm ci`, unless node_modules already is what package-lock.json says.
 *
 * @param {{ root: string, terminal: Terminal, env: import('./root.mjs').Env, signal?: AbortSignal }} options
 */
export async function install({ root, terminal, env, signal }) {
  const wanted = installFingerprint(root);
  if (readStamp(root) === wanted) return;
  if (isInstalledByHand(root)) {
    writeFileSync(join(root, STAMP), wanted);
    return;
  }
  terminal.step('Installing packages (npm ci; a minute or so) …');
  const [command, ...args] = npmCommand(env);
  const { ok, output } = await runCommand(command, [...args, 'ci', '--include=dev', '--include=optional'], {
    cwd: root,
    // npm 10 knows no allowScripts and would let onnxruntime-node download GPU libraries that are not wanted here.
    env: { ...nativeBuild(env), ...env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    ...(signal && { signal }),
  });
  if (!ok) {
    if (!signal?.aborted) terminal.say(lastLines(output, 25));
    throw new Refusal('The packages could not be installed: npm’s last lines are above; `npm ci` shows all of them.');
  }
  writeFileSync(join(root, STAMP), wanted);
  terminal.step('Installed.');
}

/**
 * What is compiled here (hnswlib-node) may use all that this machine's processor can do: half as fast again in searches. Set
 * MILLRACE_PORTABLE=1 where node_modules will run on other machines.
 *
 * @param {import('./root.mjs').Env} env
 */
function nativeBuild(env) {
  return process.platform === 'linux' && env['MILLRACE_PORTABLE'] !== '1' ? { CXXFLAGS: '-O3 -march=native' } : {};
}

/**
 * What node_modules depends on: the lock file, and for native addons the Node that compiled them.
 *
 * @param {string} root
 */
function installFingerprint(root) {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${PLATFORM}\n`;
}

/** @param {string} root */
function readStamp(root) {
  try {
    return readFileSync(join(root, STAMP), 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Whoever ran `npm ci` or `npm install` should not wait for it twice: npm leaves node_modules/.package-lock.json
 * as the last step of either, which lists what is really there.
 *
 * @param {string} root
 */
function isInstalledByHand(root) {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  // After a change of Node the addons must be compiled anew.
  if (!existsSync(hidden) || readStamp(root)?.includes(PLATFORM) === false) return false;
  const wanted = lockEntries(join(root, 'package-lock.json'));
  const there = lockEntries(hidden);
  return Object.entries(wanted).every(([path, entry]) => {
    const found = there[path];
    if (path === '') return true;
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/**
 * @param {string} path
 * @returns {Record<string, LockEntry>}
 */
function lockEntries(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

/**
 * The npm that runs us, else the one on PATH.
 *
 * @param {import('./root.mjs').Env} env
 * @returns {[string, ...string[]]}
 */
function npmCommand(env) {
  const cli = env['npm_execpath'];
  return cli?.endsWith('npm-cli.js') ? [process.execPath, cli] : ['npm'];
}

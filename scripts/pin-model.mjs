// npm run models:pin -- NAME …: writes SHA256SUMS into the folders of models below MODELS_DIR, by which workers know their files again.
// `sha256sum -c SHA256SUMS` in such a folder checks it too.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const pinFile = 'SHA256SUMS';
/** What decides about results: networks with their weights, settings, vocabularies, templates. */
const deciding = /(^onnx\/[^/]+\.onnx([._].*)?|\.(json|txt|jinja))$/;
/** Folders in folders that a worker looks into. */
const deepest = 3;

const modelsDir = process.env['MODELS_DIR'] || fileURLToPath(new URL('../models', import.meta.url));
const names = process.argv.slice(2);

if (names.length === 0) refuse('Name the models to pin: npm run models:pin -- NAME …');
for (const name of names) await pin(name);

/** @param {string} name */
async function pin(name) {
  const folder = path.join(modelsDir, name);
  if (!existsSync(path.join(folder, 'config.json')))
    refuse(
      `There is no model ${name}: ${path.join(folder, 'config.json')} is missing. MODELS_DIR names the folder of the models.`,
    );
  const lines = [];
  for (const file of listFiles(folder)) lines.push(`${await sha256(path.join(folder, file))}  ${file}\n`);
  const target = path.join(folder, pinFile);
  const before = existsSync(target) ? readFileSync(target, 'utf8') : undefined;
  const text = lines.join('');
  if (before !== text) writeFileSync(target, text);
  const what = before === undefined ? 'pinned' : before === text ? 'pinned as before' : 'pinned anew';
  process.stdout.write(`${name}: ${lines.length} files ${what} in ${target}\n`);
}

/**
 * The files of a model that decide, by their path in it, sorted.
 *
 * @param {string} folder
 * @param {string} below
 * @returns {string[]}
 */
function listFiles(folder, below = '') {
  const files = readdirSync(path.join(folder, below)).flatMap((name) => {
    const at = below === '' ? name : `${below}/${name}`;
    if (name.startsWith('.')) return [];
    if (!statSync(path.join(folder, at)).isDirectory()) return deciding.test(at) ? [at] : [];
    return at.split('/').length < deepest ? listFiles(folder, at) : [];
  });
  return files.sort();
}

/**
 * @param {string} file
 * @returns {Promise<string>}
 */
async function sha256(file) {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part);
  return hash.digest('hex');
}

/**
 * @param {string} message
 * @returns {never}
 */
function refuse(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

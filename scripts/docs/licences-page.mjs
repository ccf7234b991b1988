import { readFileSync } from 'node:fs';

/**
 * @typedef {object} Locked a package as package-lock.json has it
 * @property {string} [version]
 * @property {string} [license]
 * @property {boolean} [dev]
 * @property {boolean} [link]
 * @property {string[]} [os]
 */
/**
 * @typedef {object} Shipped
 * @property {string} name
 * @property {string[]} versions
 * @property {string} licence
 * @property {boolean} isOfPlatform only some systems install it
 */

const folder = 'node_modules/';

/**
 * What an installation without development tools brings, of any platform: by the lock file, which is the same on all machines.
 *
 * @returns {Shipped[]} by name
 */
export function shippedPackages() {
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
  const packages = /** @type {[string, Locked][]} */ (Object.entries(lock.packages));
  /** @type {Map<string, Shipped>} */
  const shipped = new Map();
  for (const [path, { version = '', license = 'unknown', dev, link, os }] of packages) {
    if (!path.includes(folder) || dev === true || link === true) continue;
    const name = path.slice(path.lastIndexOf(folder) + folder.length);
    const known = shipped.get(`${name} ${license}`);
    const versions = [...new Set([...(known?.versions ?? []), version])].sort();
    const isOfPlatform = os !== undefined || name.startsWith('@img/sharp-');
    shipped.set(`${name} ${license}`, { name, versions, licence: license, isOfPlatform });
  }
  return [...shipped.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @param {string} made */
export function licencesPage(made) {
  const all = shippedPackages();
  const counts = new Map();
  for (const { licence } of all) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const summary = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return [
    '# Licences of what Millrace brings along',
    '',
    made,
    '',
    'Every package that an installation for production has, on any platform, with the licence that it states; the full text lies in',
    'the folder of each. Tools of development are not in it. Millrace itself is MIT; the bundled model has its own licence beside it.',
    'Redis, or Valkey, is not brought along: it is a program that you run.',
    '',
    'One of them asks for more than its notice: **libvips** (LGPL-3.0-or-later), a library of pictures that comes with `sharp`, on which',
    '`@huggingface/transformers` depends. It is a shared library in a package of its own, is used unchanged, and may be',
    'replaced by another build of it, which is what that licence wants. Millrace computes no pictures and never calls it. Whoever passes images',
    'of containers on passes it on with them, under its licence; its source is at https://github.com/libvips/libvips.',
    '',
    '| licence | packages |',
    '| --- | --- |',
    ...summary.map(([licence, count]) => `| ${licence} | ${count} |`),
    '',
    '## On every platform',
    '',
    ...table(all.filter(({ isOfPlatform }) => !isOfPlatform)),
    '',
    '## On some platforms',
    '',
    'An installation has those of its own system alone.',
    '',
    ...table(all.filter(({ isOfPlatform }) => isOfPlatform)),
    '',
  ].join('\n');
}

/** @param {Shipped[]} packages */
function table(packages) {
  return [
    '| package | version | licence |',
    '| --- | --- | --- |',
    ...packages.map(({ name, versions, licence }) => `| ${name} | ${versions.join(', ')} | ${licence} |`),
  ];
}

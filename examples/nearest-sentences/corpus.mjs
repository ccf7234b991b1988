import { readFileSync } from 'node:fs';

/**
 * @typedef {object} Sentence
 * @property {string} text
 * @property {string} title of what it was taken from
 */

/** What examples/data/README.md says of the lines, which are in this order: title and last line. */
const titles = /** @type {const} */ ([
  ['The World Factbook', 430],
  ['Sherlock Holmes', 800],
  ['Moby-Dick', 1170],
  ['Tom Sawyer', 1430],
  ['Opticks', 1670],
  ['Messages to Congress', 2000],
]);

/** How the sentences begin whose neighbours are shown: one a title, and the doors, which open in three books. */
const shown = [
  'Ancient Peru was the seat',
  'I could see at a glance that she was sick with fear',
  'It is time to set the world right',
  'I tried to burst open the door',
  'Profound silence',
  'By the Precedent Observations it appears also, that whiteness',
  'The forest policy of the Administration',
];

/**
 * The sentences of examples/data, in order.
 *
 * @returns {Sentence[]}
 */
export function readSentences() {
  const lines = readFileSync(new URL('../data/sentences.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((text, index) => ({ text, title: titles.find(([, last]) => index < last)?.[0] ?? '' }));
}

/**
 * Where the sentences stand whose neighbours are shown.
 *
 * @param {readonly Sentence[]} sentences
 * @returns {number[]}
 */
export function shownSentences(sentences) {
  return shown.map((beginning) => {
    const at = sentences.findIndex(({ text }) => text.startsWith(beginning));
    if (at === -1) throw new Error(`No sentence of examples/data/sentences.txt begins with "${beginning}".`);
    return at;
  });
}

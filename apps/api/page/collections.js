import { el, say } from './dom.js';
import { amount, bytes, count, none } from './format.js';
import { tableIn, twoLines } from './table.js';

/** @typedef {import('./feed.js').Overview} Overview */
/** @typedef {Overview['collections']['listed'][number]} Collection */

/**
 * Collections, and how the copies that workers have of them stand.
 * @param {HTMLElement} parent
 * @returns {(overview: Overview) => void}
 */
export function collectionsIn(parent) {
  /** @type {(collections: readonly Collection[]) => void} */
  const show = tableIn(parent, {
    label: 'Collections',
    columns: [
      { title: 'Collection', width: 37, className: 'wide' },
      { title: 'Points', width: 21, className: 'number' },
      { title: 'Copies', width: 21, className: 'number' },
      { title: 'Recall', width: 21, className: 'number' },
    ],
    key: ({ name }) => name,
    make: collectionRow,
  });
  return ({ collections }) => show(collections.listed);
}

/** @param {HTMLTableCellElement[]} cells */
function collectionRow([collection, points, copies, recall]) {
  if (!collection || !points || !copies || !recall) throw new Error('a collection has four cells');
  const name = el('bdi', { class: 'name' });
  const about = twoLines(collection, name);
  const many = el('span');
  const toIndex = twoLines(points, many);
  const ready = el('span');
  const lag = twoLines(copies, ready);
  const found = el('span');
  const word = twoLines(recall, found);
  /** @param {Collection} shown */
  return (shown) => {
    say(name, shown.name);
    name.title = shown.name;
    say(about, `${shown.dimensions} dims, ${shown.metric}${shown.bytes === 0 ? '' : ` · ${bytes(shown.bytes)}`}`);
    say(many, count(shown.points));
    say(toIndex, shown.toIndex ? `${count(shown.toIndex)} to index` : shown.copies === 0 ? '' : 'all indexed');
    say(ready, shown.copies === 0 ? 'none' : `${shown.ready} of ${shown.copies}`);
    say(lag, lagOf(shown));
    say(found, shown.recall === null ? none : shown.recall.toFixed(2));
    const isLow = shown.recall !== null && shown.recall < 0.95;
    say(word, isLow ? 'low' : shown.recall === null ? 'not measured' : 'good');
    recall.dataset['tone'] = isLow ? 'warn' : '';
  };
}

/** @param {Collection} collection */
function lagOf({ copies, ready, lag }) {
  if (copies === 0) return 'loaded when used';
  if (ready < copies) return 'loading';
  return lag === 0 ? 'up to date' : `${amount(lag ?? 0, 'write')} behind`;
}

import { el, listIn, set } from './dom.js';

/**
 * `width` in per cent of the table: numbers that change move nothing beside them. A column of actions needs no title to be seen.
 * @typedef {{ title: string, width: number, className?: string }} Column
 */

/**
 * A table that becomes a list of cards on a narrow screen. The roles are said, for a table that is laid out otherwise loses them.
 * @template Item
 * @param {Element} parent
 * @param {{
 *   label: string,
 *   columns: readonly Column[],
 *   key(item: Item): string,
 *   make(cells: HTMLTableCellElement[]): (item: Item) => void,
 * }} table
 * @returns {(items: readonly Item[]) => void}
 */
export function tableIn(parent, { label, columns, key, make }) {
  const head = columns.map(({ title, width, className = '' }) => {
    const text = className === 'action' ? el('span', { class: 'unseen' }, title) : title;
    const cell = el('th', { role: 'columnheader', scope: 'col', class: className }, text);
    cell.style.inlineSize = `${width}%`;
    return cell;
  });
  const body = el('tbody', { role: 'rowgroup' });
  const table = el(
    'table',
    { role: 'table', 'aria-label': label },
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...head)),
    body,
  );
  parent.append(table);
  return listIn(body, {
    key,
    make: () => {
      const cells = columns.map(({ title, className = '' }) =>
        el('td', { role: 'cell', class: className, 'data-title': title }),
      );
      return { element: el('tr', { role: 'row' }, ...cells), update: make(cells) };
    },
  });
}

/**
 * Two lines of a cell: what it is, and what is to be said about it.
 * @param {Element} cell
 * @param {Node} main
 * @returns {HTMLElement} the second line
 */
export function twoLines(cell, main) {
  const second = el('span', { class: 'sub' });
  cell.append(el('span', { class: 'two' }, main, second));
  return second;
}

/**
 * A bar that fills.
 * @param {string} label
 */
export function bar(label) {
  const filled = el('span', { class: 'filled' });
  const element = el(
    'span',
    { class: 'bar', role: 'progressbar', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100 },
    filled,
  );
  return {
    element,
    /** @param {number} share of 1 @param {string} text what it says */
    fill(share, text) {
      const percent = Math.max(0, Math.min(100, share * 100));
      filled.style.inlineSize = `${percent}%`;
      set(element, 'aria-valuenow', Math.round(percent));
      set(element, 'aria-valuetext', text);
    },
  };
}

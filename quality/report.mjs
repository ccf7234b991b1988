/** @typedef {import('./main.mjs').Row} Row */

const columns = ['check', 'figure', 'unit', 'goal', 'set'];

/**
 * The figures as a table for a terminal.
 *
 * @param {readonly Row[]} rows
 * @returns {string}
 */
export function tableOf(rows) {
  const lines = [columns, ...rows.map(cellsOf)];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * docs/quality.md.
 *
 * @param {readonly Row[]} rows
 * @returns {string}
 */
export function pageOf(rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    '# Quality',
    '',
    'Made by `npm run quality -- --write`: the built processors on labelled sets. What each set is, where it comes from and its licence',
    'is in [quality/data](../quality/data/README.md); each check is a file of `quality/`. A goal is what the check was meant to reach when it was',
    'written; – is a figure without one.',
    '',
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(cellsOf(row))),
    '',
  ].join('\n');
}

/**
 * @param {Row} row
 * @returns {string[]}
 */
function cellsOf({ check, figure, unit, goal, set }) {
  return [check, rounded(figure), unit, goal === null ? '–' : rounded(goal), set];
}

/** Three digits tell enough. @param {number} figure */
function rounded(figure) {
  return Number.isInteger(figure) ? String(figure) : String(Number(figure.toPrecision(3)));
}

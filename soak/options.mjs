import { parseArgs } from 'node:util';

/**
 * @typedef {'text.clean' | 'inference.embed'} Kind
 * @typedef {object} Options
 * @property {number} texts
 * @property {Kind[]} kinds in turn
 * @property {number} waiting tasks that are under way at once
 * @property {number | undefined} withinMs when it stops, with as many texts as it has had by then
 * @property {number} growth the most that memory may grow after the beginning, as a share
 */

/** @type {Map<string, Kind[]>} */
const kindsByName = new Map([
  ['text.clean', ['text.clean']],
  ['inference.embed', ['inference.embed']],
  ['mixed', ['text.clean', 'inference.embed']],
]);

const usage = `npm run soak -- [options]
  --texts N      short texts, no two alike, in tasks of 250 (100000)
  --type T       ${[...kindsByName.keys()].join(', ')} (mixed)
  --waiting N    tasks that are under way at once (16)
  --minutes M    stop after so long, with as many as were done (a fraction is fine)
  --growth P     how much memory may grow after the beginning (a tenth, and 30 s), in per cent (5)
`;

/**
 * @param {string[]} args
 * @returns {Options | string} a string is what to print instead of a run
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      texts: { type: 'string', default: '100000' },
      type: { type: 'string', default: 'mixed' },
      waiting: { type: 'string', default: '16' },
      minutes: { type: 'string' },
      growth: { type: 'string', default: '5' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return usage;
  const kinds = kindsByName.get(values.type);
  if (kinds === undefined)
    throw new Error(`--type is ${JSON.stringify(values.type)}, expected ${[...kindsByName.keys()].join(', ')}`);
  return {
    texts: number('texts', values.texts),
    kinds,
    waiting: number('waiting', values.waiting),
    withinMs: values.minutes === undefined ? undefined : number('minutes', values.minutes) * 60_000,
    growth: number('growth', values.growth) / 100,
  };
}

/**
 * @param {string} name
 * @param {string} text
 */
function number(name, text) {
  const value = Number(text.replaceAll('_', ''));
  if (!(value > 0)) throw new Error(`--${name} is ${JSON.stringify(text)}, expected a number above 0`);
  return value;
}

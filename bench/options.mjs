import { parseArgs } from 'node:util';

/**
 * @typedef {object} Options
 * @property {number} texts
 * @property {number} rounds
 * @property {boolean} http
 * @property {boolean} json
 * @property {string[]} only keys of contenders; empty: all
 */

const contenders = ['naive', 'millrace-1', 'millrace-64', 'http'];

const usage = `npm run bench -- [options]
  --quick        120 texts, 1 round, no HTTP: whether it runs at all
  --texts N      texts of a run (1000); slow contenders take fewer
  --rounds N     how often each contender runs (5)
  --http         HTTP too, even if --quick; --no-http leaves it out
  --only A,B     some of ${contenders.join(', ')}; the ceiling always runs
  --json         JSON on stdout instead of the table
`;

/**
 * @param {string[]} args
 * @returns {Options | string} a string is what to print instead of a run
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      quick: { type: 'boolean', default: false },
      texts: { type: 'string' },
      rounds: { type: 'string' },
      http: { type: 'boolean' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return usage;
  return {
    texts: count('texts', values.texts, values.quick ? 120 : 1000),
    rounds: count('rounds', values.rounds, values.quick ? 1 : 5),
    http: values.http ?? !values.quick,
    json: values.json,
    only: keys(values.only),
  };
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {number} otherwise
 */
function count(name, text, otherwise) {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new Error(`--${name} is ${JSON.stringify(text)}, expected a whole number from 1`);
  return Number(text);
}

/** @param {string} list */
function keys(list) {
  const only = list.split(',').filter((key) => key !== '');
  const unknown = only.filter((key) => !contenders.includes(key));
  if (unknown.length > 0)
    throw new Error(`--only has ${unknown.join(', ')}, expected some of ${contenders.join(', ')}`);
  return only;
}

import { parseArgs } from 'node:util';

/**
 * @typedef {object} Options
 * @property {number} seed
 * @property {number} requests
 * @property {number} atOnce
 * @property {boolean} keep
 */

const usage = `npm run fuzz -- [options]
  --requests N   how many requests (100000)
  --seed S       what decides about them (default: by the clock; it is printed)
  --at-once N    requests under way at once (16)
  --keep         the folder with the logs stays
`;

/**
 * @param {string[]} args
 * @returns {Options | string} a string is what to print instead of a run
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      'at-once': { type: 'string', default: '16' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return usage;
  return {
    seed: count('seed', values.seed, 0),
    requests: count('requests', values.requests, 1),
    atOnce: count('at-once', values['at-once'], 1),
    keep: values.keep,
  };
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} least
 */
function count(name, text, least) {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least) {
    throw new Error(`--${name} is ${JSON.stringify(text)}, expected a whole number from ${least}`);
  }
  return Number(text);
}

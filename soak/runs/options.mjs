import { parseArgs } from 'node:util';

/**
 * @typedef {object} Options
 * @property {number} lines of the run that is killed
 * @property {number} killedAt the share of it that is done by then; 0: it is not killed
 * @property {number} megabytes of the large file; 0: none
 * @property {number} megabytesOfMemory that the API may take
 */

const usage = `npm run runs:soak -- [options]
  --lines N       lines of /v1/embeddings, run twice: once undisturbed, once killed (20000; 0: none)
  --kill P        per cent of it that is done when API and workers are killed (60)
  --megabytes N   size of a file of /v1/tasks (text.clean) that is run besides (200; 0: none)
  --memory N      MB that the API may take at its highest (300)
`;

/**
 * @param {string[]} args
 * @returns {Options | string} a string is what to print instead of a run
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      lines: { type: 'string', default: '20000' },
      kill: { type: 'string', default: '60' },
      megabytes: { type: 'string', default: '200' },
      memory: { type: 'string', default: '300' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return usage;
  return {
    lines: number('lines', values.lines),
    killedAt: number('kill', values.kill) / 100,
    megabytes: number('megabytes', values.megabytes),
    megabytesOfMemory: number('memory', values.memory),
  };
}

/**
 * @param {string} name
 * @param {string} text
 */
function number(name, text) {
  const value = Number(text.replaceAll('_', ''));
  if (!(value >= 0)) throw new Error(`--${name} is ${JSON.stringify(text)}, expected a number of 0 or more`);
  return value;
}

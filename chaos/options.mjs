import { parseArgs } from 'node:util';
import { faultKinds, faultOf, faultsOf } from './faults.mjs';

/**
 * @typedef {object} Options
 * @property {number} seed
 * @property {import('./redis.mjs').RedisKind} redis
 * @property {number} tasks
 * @property {number} workers
 * @property {number} apis
 * @property {number} troubleMs how long the nemesis is at work
 * @property {import('./faults.mjs').FaultKind[]} faults
 * @property {boolean} short
 * @property {boolean} verbose
 * @property {boolean} keep
 */

const usage = `npm run chaos -- [options]
  --seed N       what decides about tasks and faults (default: by the clock; it is printed)
  --redis KIND   single: one, behind a proxy (default); sentinel: a master, two replicas and three Sentinels; cluster: three
                 masters with a replica each
  --tasks N      tasks that producers send (2000)
  --workers N    workers (4)
  --apis N       API processes (2)
  --minutes M    how long faults strike (4; a fraction is fine)
  --faults A,B   some of ${faultKinds.join(', ')} (all that go with the kind of
                 Redis, but for steal-task, which shows that the verdict sees what Millrace loses)
  --short        400 tasks, 2 workers, 1 API, each of five faults once: a minute, for CI
  --verbose      each warning of the processes as it comes
  --keep         logs and Redis's data stay, also when all is well
`;

/** The short form: one fault of each sort. */
const short = {
  tasks: 400,
  workers: 2,
  apis: 1,
  minutes: 0.35,
  faults: ['kill-worker', 'stop-worker', 'kill-lane', 'kill-redis', 'reset-network'],
};
const long = { tasks: 2000, workers: 4, apis: 2, minutes: 4 };
/** @type {readonly import('./redis.mjs').RedisKind[]} */
const redisKinds = ['single', 'sentinel', 'cluster'];

/**
 * @param {string[]} args
 * @returns {Options | string} a string is what to print instead of a run
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      redis: { type: 'string', default: 'single' },
      tasks: { type: 'string' },
      workers: { type: 'string' },
      apis: { type: 'string' },
      minutes: { type: 'string' },
      faults: { type: 'string' },
      short: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return usage;
  const redis = redisKind(values.redis);
  const form =
    values.short && redis === 'single' ? short : { ...(values.short ? short : long), faults: faultsOf(redis) };
  return {
    seed: count('seed', values.seed, Date.now() % 1_000_000),
    redis,
    tasks: count('tasks', values.tasks, form.tasks),
    workers: count('workers', values.workers, form.workers),
    apis: count('apis', values.apis, form.apis),
    troubleMs: minutes(values.minutes, form.minutes) * 60_000,
    faults: kinds(values.faults?.split(',') ?? form.faults, redis),
    short: values.short,
    verbose: values.verbose,
    keep: values.keep,
  };
}

/**
 * @param {Options} options
 * @returns {string} the command that does the same again
 */
export function commandOf({ seed, redis, tasks, workers, apis, troubleMs, faults, short: isShort }) {
  const numbers = `--seed ${seed} --tasks ${tasks} --workers ${workers} --apis ${apis} --minutes ${troubleMs / 60_000}`;
  return `npm run chaos -- ${isShort ? '--short ' : ''}--redis ${redis} ${numbers} --faults ${faults.join(',')}`;
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {number} otherwise
 */
function count(name, text, otherwise) {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} is ${JSON.stringify(text)}, expected a whole number`);
  return Number(text);
}

/**
 * @param {string | undefined} text
 * @param {number} otherwise
 */
function minutes(text, otherwise) {
  if (text === undefined) return otherwise;
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`--minutes is ${JSON.stringify(text)}, expected a number`);
  return Number(text);
}

/** @param {string} name */
function redisKind(name) {
  const kind = redisKinds.find((known) => known === name);
  if (kind === undefined) throw new Error(`--redis is ${JSON.stringify(name)}, expected ${redisKinds.join(', ')}`);
  return kind;
}

/**
 * @param {readonly string[]} names
 * @param {import('./redis.mjs').RedisKind} redis
 */
function kinds(names, redis) {
  return names.map((name) => {
    const kind = faultKinds.find((known) => known === name);
    if (kind === undefined) throw new Error(`--faults has ${JSON.stringify(name)}, expected ${faultKinds.join(', ')}`);
    if (!faultOf(kind).kinds.includes(redis)) throw new Error(`--faults has ${kind}, not one for --redis ${redis}`);
    return kind;
  });
}

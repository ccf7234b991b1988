import { familiesTried } from './ledger.mjs';
import { tagPrefix } from './workload.mjs';

/** @typedef {import('./ledger.mjs').Family} Family */
/** @typedef {import('@millrace/shared/redis/connection').Redis} Redis */
/** @typedef {import('@millrace/shared/redis/keys').Keys} Keys */
/**
 * A job as Redis has it at the end.
 *
 * @typedef {object} FoundJob
 * @property {Family} family
 * @property {string} jobId
 * @property {number | undefined} number of the task in the plan; undefined when nobody planned it
 * @property {string[]} places the sets that it stands in
 * @property {number} started attempts that were started
 * @property {number} made attempts that were ended
 * @property {number} stalls how often it was taken back from a dead worker
 * @property {string} failedReason
 * @property {string} resultKey where its return value says the result is
 */

const lists = ['wait', 'paused', 'active'];
const sets = ['prioritized', 'delayed', 'waiting-children', 'completed', 'failed'];
/** Where a task stands that has not ended. */
export const unfinishedPlaces = [...lists, ...sets.slice(0, 3)];

/**
 * How many tasks have not ended.
 *
 * @param {{ redis: Redis, keys: Keys }} side
 */
export async function countUnfinished({ redis, keys }) {
  const counts = await Promise.all(
    familiesTried.flatMap((family) => [
      ...lists.map((name) => redis.llen(keys.bull(family, name))),
      ...sets.slice(0, 3).map((name) => redis.zcard(keys.bull(family, name))),
    ]),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * All jobs of a family.
 *
 * @param {{ redis: Redis, keys: Keys }} side
 * @param {Family} family
 * @returns {Promise<FoundJob[]>}
 */
export async function readJobs({ redis, keys }, family) {
  /** @type {Map<string, string[]>} */
  const places = new Map();
  for (const name of [...lists, ...sets]) {
    const key = keys.bull(family, name);
    const ids = lists.includes(name) ? await redis.lrange(key, 0, -1) : await redis.zrange(key, '0', '-1');
    for (const id of ids) places.set(id, [...(places.get(id) ?? []), name]);
  }
  return await Promise.all(
    [...places].map(async ([jobId, stands]) => {
      const fields = await redis.hmget(
        keys.bull(family, jobId),
        'data',
        'ats',
        'atm',
        'stc',
        'failedReason',
        'returnvalue',
      );
      const [data, started, made, stalls, failedReason, returned] = fields;
      return {
        ...{ family, jobId, places: stands, failedReason: failedReason ?? '' },
        ...{ started: Number(started ?? 0), made: Number(made ?? 0), stalls: Number(stalls ?? 0) },
        number: numberOf(parse(data)?.tags),
        resultKey: String(parse(returned)?.result ?? ''),
      };
    }),
  );
}

/**
 * The keys of all outcomes, published or not, by job.
 *
 * @param {{ redis: Redis, keys: Keys }} side
 * @returns {Promise<Map<string, string[]>>}
 */
export async function readOutcomeKeys({ redis, keys }) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  let cursor = '0';
  do {
    const [next, some] = await redis.scan(cursor, 'MATCH', `${escapePattern(keys.prefix)}:result:*`, 'COUNT', 1000);
    cursor = next;
    for (const key of some) {
      const jobId = key.split(':').at(-2) ?? '';
      found.set(jobId, [...new Set([...(found.get(jobId) ?? []), key])]);
    }
  } while (cursor !== '0');
  return found;
}

/** @param {string} text for a pattern of Redis */
function escapePattern(text) {
  return text.replaceAll(/[[\]*?\\]/g, '\\$&');
}

/** @param {unknown} tags */
function numberOf(tags) {
  const tag = Array.isArray(tags) ? String(tags[0]) : '';
  return tag.startsWith(tagPrefix) ? Number(tag.slice(tagPrefix.length)) : undefined;
}

/**
 * @param {string | null | undefined} text
 * @returns {Record<string, unknown> | undefined}
 */
function parse(text) {
  try {
    return JSON.parse(text ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

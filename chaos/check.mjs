import { readJobs, readOutcomeKeys, unfinishedPlaces } from './jobs.mjs';
import { familiesTried } from './ledger.mjs';
import { isWithin, whoLost } from './losses.mjs';
import { ResultChecker } from './results.mjs';
import { readCounts } from './watch/counts.mjs';

/** @typedef {import('./jobs.mjs').FoundJob} FoundJob */
/** @typedef {import('./ledger.mjs').Entry} Entry */
/** @typedef {'lost' | 'wrong' | 'doubled' | 'failed' | 'unfinished' | 'late' | 'ghosts' | 'miscounts'} Sin */
/**
 * @typedef {object} CheckParams
 * @property {import('./ledger.mjs').Ledger} ledger
 * @property {import('@millrace/shared/redis/connection').Redis} redis
 * @property {import('@millrace/shared/redis/keys').Keys} keys
 * @property {readonly string[]} apiUrls
 * @property {Map<string, Float32Array>} vectors what is right
 * @property {ReadonlyMap<string, readonly number[]>} ends
 * @property {readonly import('./losses.mjs').LossWindow[]} windows when Redis may have forgotten
 */
/**
 * @typedef {object} Findings
 * @property {Record<Sin, string[]>} sins what is wrong, one line each
 * @property {number} redisLost accepted tasks that Redis forgot
 * @property {number[]} lossesAtMs when they were accepted, from the strike on: negative before it
 * @property {number} maybeThere tasks of unknown acceptance that exist
 * @property {number} redone attempts beyond the first
 * @property {number} stalled tasks that were taken back from a dead worker
 * @property {number} retried tasks that needed more than one attempt because one failed
 * @property {number} orphans outcomes that no reader ever sees
 */

/** @returns {Record<Sin, string[]>} */
function noSins() {
  return { lost: [], wrong: [], doubled: [], failed: [], unfinished: [], late: [], ghosts: [], miscounts: [] };
}

/**
 * Holds everything that Redis and the API say at the end against the ledger.
 *
 * @param {CheckParams} params
 * @returns {Promise<Findings>}
 */
export async function check(params) {
  const { redis, keys, apiUrls, vectors } = params;
  const jobs = (await Promise.all(familiesTried.map((family) => readJobs({ redis, keys }, family)))).flat();
  const outcomes = await readOutcomeKeys({ redis, keys });
  const results = new ResultChecker({ apiUrls, vectors });
  const findings = summarize(jobs, outcomes);
  const byNumber = groupByNumber(jobs, findings);
  const entries = [...params.ledger.entries.values()];
  const present = entries.filter(({ state, task }) => state === 'accepted' && byNumber.has(task.number));
  for (const entry of entries) {
    const found = byNumber.get(entry.task.number) ?? [];
    checkPresence({ entry, found, present, findings, params });
    for (const job of found) await checkJob({ entry, job, findings, params, results, outcomes });
  }
  await checkCounts(params, findings);
  return findings;
}

/**
 * @param {readonly FoundJob[]} jobs
 * @param {ReadonlyMap<string, readonly string[]>} outcomes
 * @returns {Findings}
 */
function summarize(jobs, outcomes) {
  const sum = (/** @type {(job: FoundJob) => number} */ of) => jobs.reduce((total, job) => total + of(job), 0);
  const kept = [...outcomes.values()].reduce((total, keys) => total + keys.length, 0);
  return {
    sins: noSins(),
    redisLost: 0,
    lossesAtMs: [],
    maybeThere: 0,
    redone: sum(({ started }) => Math.max(0, started - 1)),
    stalled: jobs.filter(({ stalls }) => stalls > 0).length,
    retried: jobs.filter(({ made }) => made > 1).length,
    orphans: kept - jobs.filter(({ resultKey }) => resultKey !== '').length,
  };
}

/**
 * @param {readonly FoundJob[]} jobs
 * @param {Findings} findings
 */
function groupByNumber(jobs, { sins }) {
  /** @type {Map<number, FoundJob[]>} */
  const byNumber = new Map();
  for (const job of jobs) {
    if (job.number === undefined) sins.wrong.push(`${job.jobId}: nobody sent this task`);
    else byNumber.set(job.number, [...(byNumber.get(job.number) ?? []), job]);
  }
  return byNumber;
}

/** @param {{ entry: Entry, found: FoundJob[], present: Entry[], findings: Findings, params: CheckParams }} look */
function checkPresence({ entry, found, present, findings, params }) {
  const { state, task, id, at, reason } = entry;
  const { sins } = findings;
  const name = `task ${task.number} (${task.type}, ${task.via}${id === undefined ? '' : `, ${id}`})`;
  if (found.length > 1) sins.doubled.push(`${name} is there as ${found.map(({ jobId }) => jobId).join(' and ')}`);
  if (state === 'refused' && found.length > 0) sins.wrong.push(`${name} was refused (${reason}) and exists`);
  if (state === 'maybe' && found.length > 0) findings.maybeThere += 1;
  if (state !== 'accepted' || found.some(({ jobId }) => jobId === id)) return;
  if (whoLost(entry, { windows: params.windows, present }) === 'redis') noteRedisLoss(findings, params.windows, at);
  else sins.lost.push(`${name} was accepted at ${new Date(at).toISOString()} and is not there`);
}

/**
 * @param {Findings} findings
 * @param {CheckParams['windows']} windows
 * @param {number} at when it was accepted
 */
function noteRedisLoss(findings, windows, at) {
  findings.redisLost += 1;
  const around = windows.find(({ from, to }) => from <= at && at <= to);
  findings.lossesAtMs.push(at - (around?.struckAt ?? at));
}

/**
 * @param {{ entry: Entry, job: FoundJob, findings: Findings, params: CheckParams, results: ResultChecker,
 *   outcomes: ReadonlyMap<string, readonly string[]> }} look
 */
async function checkJob({ entry, job, findings, params, results, outcomes }) {
  const { sins } = findings;
  const { jobId, places, family, started, resultKey } = job;
  const name = `task ${entry.task.number} (${entry.task.type}, ${jobId}, ${places.join(' and ')}, attempt ${started})`;
  if (places.length !== 1) sins.doubled.push(`${name} stands in several places`);
  if (places.some((place) => unfinishedPlaces.includes(place))) return void sins.unfinished.push(name);
  if (places.includes('failed')) return void sins.failed.push(`${name}: ${job.failedReason}`);
  const ends = params.ends.get(jobId) ?? [];
  // An end that Redis forgot with its last second had to be made again.
  const counted = ends.filter((at) => !isWithin(params.windows, at));
  if (counted.length > 1) sins.doubled.push(`${name} was ended ${ends.length} times`);
  const published = params.keys.result({ family, jobId }, started);
  if (resultKey !== published) sins.wrong.push(`${name} says that its result is at ${resultKey}`);
  if (!outcomes.get(jobId)?.includes(published)) sins.lost.push(`${name} has no result at ${published}`);
  const problem = await results.problemOf(entry.task, jobId);
  if (problem !== undefined) sins.wrong.push(`${name}: ${problem}`);
}

/**
 * What the API counts at the end.
 *
 * @param {CheckParams} params
 * @param {Findings} findings
 */
async function checkCounts({ apiUrls, ledger }, { sins, maybeThere, redisLost }) {
  const queues = await readCounts(apiUrls[0] ?? '');
  if (queues === undefined) return void sins.miscounts.push('GET /v1/queues did not answer at the end');
  const succeeded = familiesTried.reduce((sum, family) => sum + (queues.get(family)?.succeeded ?? 0), 0);
  const expected = ledger.count('accepted') + maybeThere - redisLost;
  if (succeeded !== expected) sins.miscounts.push(`${succeeded} have succeeded in all, ${expected} were expected`);
  for (const family of familiesTried) {
    const counts = queues.get(family);
    const { least, most } = ledger.bounds(family);
    const sum = Object.values(counts ?? {}).reduce((total, count) => total + count, 0);
    if (sum < least - redisLost || sum > most) sins.miscounts.push(`${family}: ${sum} at the end, ${least} to ${most}`);
  }
}

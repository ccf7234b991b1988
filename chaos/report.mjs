import { commandOf } from './options.mjs';

/** @typedef {import('./check.mjs').Findings} Findings */
/** @typedef {import('./watch/deaths.mjs').Death} Death */
/**
 * @typedef {object} Facts
 * @property {import('./options.mjs').Options} options
 * @property {import('./ledger.mjs').Ledger} ledger
 * @property {Findings} findings
 * @property {ReadonlyMap<string, number>} struck
 * @property {readonly Death[]} deaths
 * @property {number} countReads
 * @property {import('./fleet.mjs').Fleet} fleet
 * @property {import('./redis.mjs').ChaosRedis} redis
 * @property {string} folder where the logs are
 */

/** Details of so many tasks of each sort are printed. */
const detailed = 5;

/** @param {Findings} findings */
export function isClean({ sins }) {
  return Object.values(sins).every((list) => list.length === 0);
}

/**
 * What happened, and the verdict as its last line.
 *
 * @param {Facts} facts
 */
export function reportOf(facts) {
  const { options, findings } = facts;
  const lines = [...whatWasDone(facts), ...whatItCost(facts)];
  if (!isClean(findings)) {
    for (const [sin, list] of Object.entries(findings.sins)) {
      if (list.length > 0) lines.push(`${sin}: ${list.length}`, ...list.slice(0, detailed).map((text) => `  ${text}`));
    }
    lines.push(`logs           ${facts.folder}`, `again          ${commandOf(options)}`);
  }
  const verdict = Object.entries(findings.sins).map(([sin, list]) => `${list.length} ${sin}`);
  return [...lines, `chaos seed ${options.seed}: ${verdict.join(', ')}`].join('\n');
}

/** @param {Facts} facts */
function whatWasDone({ options, ledger, findings, struck, countReads, fleet }) {
  const faults = [...struck].map(([kind, count]) => `${kind} ${count}`);
  const warnings = [...fleet.warnings].map(([kind, count]) => `${kind} ${count}`);
  return [
    `seed           ${options.seed}`,
    `tasks          ${ledger.count('accepted')} accepted, ${ledger.count('maybe')} with no answer (${findings.maybeThere} of them exist), ${ledger.count('refused')} refused`,
    `no answer      ${reasonsOf(ledger).join(', ') || 'none'}`,
    `faults         ${faults.join(', ') || 'none'}`,
    `reads          ${countReads} of GET /v1/queues, held against the ledger`,
    `warnings       ${warnings.join(', ') || 'none'}`,
    `ended unasked  ${fleet.unasked.join(', ') || 'none'}`,
  ];
}

/** @param {import('./ledger.mjs').Ledger} ledger */
function reasonsOf(ledger) {
  /** @type {Map<string, number>} */
  const reasons = new Map();
  for (const { state, reason } of ledger.entries.values()) {
    if (state === 'maybe' || state === 'refused') reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [...reasons].map(([reason, count]) => `${reason} ${count}`);
}

/** @param {Facts} facts */
function whatItCost({ ledger, findings, deaths, redis }) {
  const longest = (/** @type {(death: Death) => number} */ of) => seconds(Math.max(0, ...deaths.map(of)));
  const held = deaths.reduce((sum, death) => sum + death.held, 0);
  return [
    `redone         ${findings.redone} attempts beyond the first; ${findings.stalled} tasks taken back from dead or frozen workers`,
    `retried        ${findings.retried} tasks after a failure; ${findings.orphans} outcomes that nobody reads`,
    `detection      ${deaths.length} workers killed with ${held} tasks: back with others after ${longest((death) => death.backMs)} at most (${longest((death) => death.wallMs)} with outages), taken up after ${longest((death) => death.takenMs)}`,
    `answers        ${seconds(ledger.longestAnswerMs)} at the longest, to a producer`,
    `Redis lost     ${findings.redisLost} accepted tasks in ${redis.windows.length} moments when it may forget${whenLost(findings)}${behind(redis)}`,
    `Millrace lost  ${findings.sins.lost.length}`,
  ];
}

/** @param {Findings} findings */
function whenLost({ lossesAtMs }) {
  if (lossesAtMs.length === 0) return '';
  return `, accepted from ${Math.min(...lossesAtMs)} to ${Math.max(...lossesAtMs)} ms after the strike`;
}

/** @param {import('./redis.mjs').ChaosRedis} redis */
function behind({ kind, mostBehind, unasked }) {
  if (kind === 'single') return '';
  const changes = unasked === 0 ? '' : ` (${unasked} times another became master unasked)`;
  return `${changes}; its replica lacked ${mostBehind} bytes at most when the master was struck`;
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

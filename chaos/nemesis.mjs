import { faultOf } from './faults.mjs';
import { pause } from './pause.mjs';

/** @typedef {import('./faults.mjs').FaultKind} FaultKind */
/**
 * @typedef {object} NemesisParams
 * @property {import('./faults.mjs').Battlefield} field
 * @property {readonly FaultKind[]} kinds
 * @property {number} troubleMs
 * @property {boolean} once each kind once, and no more
 * @property {(text: string) => void} say
 */

/** Pauses between faults, in ms. */
const pauses = { once: [1000, 2500], on: [1500, 7000] };
/** A fault that found nothing to strike is tried again so often before its turn is over. */
const tries = 20;

/**
 * Strikes until its time is over: every kind in the order of the dice, and again in another order.
 *
 * @param {NemesisParams} params
 * @returns {Promise<Map<FaultKind, number>>} how often it struck
 */
export async function rage({ field, kinds, troubleMs, once, say }) {
  const { random, calm } = field;
  const endsAt = Date.now() + troubleMs;
  /** @type {Map<FaultKind, number>} */
  const struck = new Map();
  /** @type {Set<Promise<void>>} */
  const lasting = new Set();
  let row = random.shuffle(kinds);
  let turnsGivenBack = 2 * kinds.length;
  const [least = 0, most = 0] = once ? pauses.once : pauses.on;
  while (kinds.length > 0 && Date.now() < endsAt && !calm.aborted) {
    await pause(random.integer(least, most), calm);
    if (row.length === 0 && !once) row = random.shuffle(kinds);
    const kind = row.shift();
    if (kind === undefined) break;
    const strike = await strikeOne(kind, field);
    // There was nothing to strike: its turn comes again, but not for ever.
    if (strike === undefined) {
      if (!struck.has(kind) && turnsGivenBack > 0) row.push(kind);
      turnsGivenBack -= 1;
      continue;
    }
    struck.set(kind, (struck.get(kind) ?? 0) + 1);
    say(`${kind}: ${strike.target}`);
    if (faultOf(kind).alone) await strike.over;
    else lasting.add(strike.over);
  }
  const missing = kinds.filter((kind) => !struck.has(kind));
  if (missing.length > 0 && !calm.aborted) say(`nothing to strike, or no time, for ${missing.join(', ')}`);
  await Promise.all(lasting);
  return struck;
}

/**
 * @param {FaultKind} kind
 * @param {import('./faults.mjs').Battlefield} field
 */
async function strikeOne(kind, field) {
  for (let count = 0; count < tries && !field.calm.aborted; count += 1) {
    const strike = await faultOf(kind).strike(field);
    if (strike !== undefined) return strike;
    await pause(500, field.calm);
  }
  return undefined;
}

/**
 * Ends what still lasts: frozen workers go on, the network is good, Redis runs.
 *
 * @param {import('./faults.mjs').Battlefield} field
 */
export async function heal({ fleet, redis }) {
  for (const worker of fleet.workers) worker.thaw();
  await redis.heal();
}

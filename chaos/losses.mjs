/** @typedef {import('./ledger.mjs').Entry} Entry */
/**
 * A time in which Redis may have accepted what it forgets: it was killed before it had written, or the master was replaced before its
 * replicas had all. `struckAt`: until then whatever was accepted is in one row, of which only the end can be missing.
 *
 * @typedef {{ from: number, struckAt: number, to: number }} LossWindow ms since 1970
 */

/** An answer that was on its way when it struck; ms. */
export const onItsWayMs = 50;
/** How far a replica may be behind its master; ms. What was accepted earlier and is gone is no loss of Redis. */
export const lagMs = 1000;
/** How long after a new master is known a process may still be answered by the old one; ms. */
export const goOverMs = 1000;

/**
 * @param {readonly LossWindow[]} windows
 * @param {number} at ms since 1970
 */
export function isWithin(windows, at) {
  return windows.some(({ from, to }) => from <= at && at <= to);
}

/**
 * Whose loss it is that an accepted task is not there. Redis' only if it was accepted when Redis may forget, and if no task is there
 * that was sent after its acceptance and accepted before the strike: Redis forgets the end of a row, never one out of its midst.
 *
 * @param {Entry} lost
 * @param {{ windows: readonly LossWindow[], present: readonly Entry[] }} known present: accepted tasks that are there
 * @returns {'redis' | 'millrace'}
 */
export function whoLost(lost, { windows, present }) {
  const around = windows.filter(({ from, to }) => from <= lost.at && lost.at <= to);
  const explains = (/** @type {LossWindow} */ { struckAt }) =>
    !present.some(({ sentAt, at }) => sentAt > lost.at && at <= struckAt);
  return around.some(explains) ? 'redis' : 'millrace';
}

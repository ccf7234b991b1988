import { pause } from '../pause.mjs';

/** @typedef {import('../faults.mjs').Fault} Fault */

/** How long Redis stays away, in ms. */
const awayMs = { least: 200, most: 4000 };

/** Redis is asked to end, which writes all, and comes again. @type {Fault} */
export const restartRedis = endBy('SIGTERM');

/** Redis is killed with an append-only file that is synced every second, and comes again. @type {Fault} */
export const killRedis = endBy('SIGKILL');

/**
 * @param {'SIGTERM' | 'SIGKILL'} signal
 * @returns {Fault}
 */
function endBy(signal) {
  return {
    alone: true,
    async strike({ redis, random, calm }) {
      const ms = random.integer(awayMs.least, awayMs.most);
      await redis.end(signal);
      const over = pause(ms, calm).then(() => redis.start());
      return { target: `${signal}, away for ${ms} ms`, over };
    },
  };
}

import { pause } from '../pause.mjs';
import { killedNow } from '../redis.mjs';

/** @typedef {import('../faults.mjs').Fault} Fault */

/** How long Redis stays away, in ms. */
const awayMs = { least: 200, most: 4000 };
/** What Redis may lose when it is killed under `appendfsync everysec`: a second, or two when the disk is slow. */
const fsyncMs = 2000;

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
    kinds: ['single'],
    alone: true,
    async strike({ redis, random, calm }) {
      const { node } = redis;
      if (node === undefined) return undefined;
      const ms = random.integer(awayMs.least, awayMs.most);
      redis.isUp = false;
      if (signal === 'SIGKILL') killedNow(redis, fsyncMs);
      await node.end(signal);
      const over = pause(ms, calm).then(() => redis.heal());
      return { target: `${signal}, away for ${ms} ms`, over };
    },
  };
}

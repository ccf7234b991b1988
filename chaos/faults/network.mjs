import { pause } from '../pause.mjs';

/** @typedef {import('../faults.mjs').Fault} Fault */

/** How long a network is bad, in ms. */
const badMs = { short: [1500, 3000], long: [2000, 10_000] };

/** No byte moves between the processes and Redis. @type {Fault} */
export const stallNetwork = lasting((proxy) => proxy.stall());

/** Connections stand, but Redis has forgotten them. @type {Fault} */
export const halfOpenNetwork = lasting((proxy) => proxy.halfOpen());

/** Every connection to Redis breaks, twice within a moment. @type {Fault} */
export const resetNetwork = {
  kinds: ['single'],
  alone: true,
  async strike({ redis: { proxy }, random, calm }) {
    if (proxy === undefined) return undefined;
    const ms = random.integer(50, 1000);
    proxy.reset();
    return { target: `all connections, again after ${ms} ms`, over: pause(ms, calm).then(() => proxy.reset()) };
  },
};

/**
 * @param {(proxy: import('../proxy.mjs').RedisProxy) => void} spoil
 * @returns {Fault}
 */
function lasting(spoil) {
  return {
    kinds: ['single'],
    alone: true,
    async strike({ redis: { proxy }, random, calm, short }) {
      if (proxy === undefined) return undefined;
      const [least = 0, most = 0] = short ? badMs.short : badMs.long;
      const ms = random.integer(least, most);
      spoil(proxy);
      return { target: `for ${ms} ms`, over: pause(ms, calm).then(() => proxy.pass()) };
    },
  };
}

import { killApi } from './faults/api.mjs';
import { failover, freezeMaster, killMaster } from './faults/master.mjs';
import { halfOpenNetwork, resetNetwork, stallNetwork } from './faults/network.mjs';
import { killRedis, restartRedis } from './faults/redis.mjs';
import { stealTask } from './faults/steal.mjs';
import { killLane, killWorker, stopWorker } from './faults/worker.mjs';

/**
 * What a fault may break, and by what dice.
 *
 * @typedef {object} Battlefield
 * @property {import('./random.mjs').Random} random
 * @property {import('./fleet.mjs').Fleet} fleet
 * @property {import('./redis.mjs').ChaosRedis} redis
 * @property {import('./watch/deaths.mjs').DeathWatch} deaths
 * @property {() => Promise<import('@millrace/shared/redis/workers').WorkerBeat[]>} heartbeats read past the proxy
 * @property {AbortSignal} calm once it is time to heal
 * @property {boolean} short
 */
/**
 * What was struck, and when it is over; undefined when there was nothing to strike.
 *
 * @typedef {{ target: string, over: Promise<void> } | undefined} Strike
 */
/**
 * @typedef {object} Fault
 * @property {readonly import('./redis.mjs').RedisKind[]} kinds of Redis that it can strike
 * @property {boolean} alone nothing else is struck until it is over
 * @property {(field: Battlefield) => Promise<Strike>} strike
 */

const table = {
  'kill-worker': killWorker,
  'stop-worker': stopWorker,
  'kill-lane': killLane,
  'kill-api': killApi,
  'restart-redis': restartRedis,
  'kill-redis': killRedis,
  'stall-network': stallNetwork,
  'reset-network': resetNetwork,
  'half-open-network': halfOpenNetwork,
  'kill-master': killMaster,
  'freeze-master': freezeMaster,
  failover,
  'steal-task': stealTask,
};
/** @typedef {keyof typeof table} FaultKind */

export const faultKinds = /** @type {FaultKind[]} */ (Object.keys(table));

/**
 * Those that can strike a kind of Redis, without the one that only shows that the verdict is honest.
 *
 * @param {import('./redis.mjs').RedisKind} kind
 */
export function faultsOf(kind) {
  return faultKinds.filter((name) => name !== 'steal-task' && table[name].kinds.includes(kind));
}

/**
 * @param {FaultKind} kind
 * @returns {Fault}
 */
export function faultOf(kind) {
  return table[kind];
}

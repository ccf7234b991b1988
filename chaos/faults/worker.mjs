import { pause } from '../pause.mjs';
import { everyKind } from './every-kind.mjs';

/** @typedef {import('../faults.mjs').Fault} Fault */

/** How long a worker stands still, in s: longer than its lock, and in the long form than a heartbeat by far. */
const frozenSeconds = { short: [15, 17], long: [15, 40] };

/** SIGKILL to a worker that pulls. @type {Fault} */
export const killWorker = {
  kinds: everyKind,
  alone: false,
  async strike({ fleet, random, deaths }) {
    const serving = await holding(fleet.workers, deaths);
    if (serving.length === 0) return undefined;
    const worker = random.pick(serving);
    const { life } = worker;
    worker.kill();
    const held = await deaths.begin(life);
    return { target: `${worker.name} pid ${life.pid}, which held ${held} tasks`, over: Promise.resolve() };
  },
};

/** SIGSTOP to a worker, and SIGCONT when its tasks have long been others'. @type {Fault} */
export const stopWorker = {
  kinds: everyKind,
  alone: false,
  async strike({ fleet, random, calm, short, deaths }) {
    const serving = await holding(fleet.workers, deaths);
    // Somebody must be left to take over.
    if (serving.length === 0 || fleet.workers.filter(({ isServing }) => isServing).length < 2) return undefined;
    const worker = random.pick(serving);
    const [least = 15, most = 15] = short ? frozenSeconds.short : frozenSeconds.long;
    const seconds = random.integer(least, most);
    worker.freeze();
    const over = pause(seconds * 1000, calm).then(() => worker.thaw());
    return { target: `${worker.name} pid ${worker.life.pid} for ${seconds} s`, over };
  },
};

/** SIGKILL to a compute process, as the heartbeats name them. @type {Fault} */
export const killLane = {
  kinds: everyKind,
  alone: false,
  async strike({ heartbeats, random }) {
    const lanes = (await heartbeats()).flatMap((beat) => beat.lanes.map((lane) => ({ ...lane, worker: beat.id })));
    // A busy one, if there is any: it takes a call along.
    const alive = lanes.filter(({ pid, state }) => pid !== null && state !== 'dead' && state !== 'stopped');
    const busy = alive.filter(({ state }) => state === 'busy');
    if (alive.length === 0) return undefined;
    const { id, pid, family, state, worker } = random.pick(busy.length > 0 ? busy : alive);
    if (!kill(pid ?? 0)) return undefined;
    return { target: `${family} lane ${id} (${state}) of ${worker}, pid ${pid}`, over: Promise.resolve() };
  },
};

/**
 * The workers that pull and have tasks in hand.
 *
 * @param {readonly import('../app-process.mjs').AppProcess[]} workers
 * @param {import('../watch/deaths.mjs').DeathWatch} deaths
 */
async function holding(workers, deaths) {
  const holders = await deaths.holders();
  return workers.filter(({ isServing, life }) => isServing && holders.has(life.workerId ?? ''));
}

/** @param {number} pid */
function kill(pid) {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // it was gone since the heartbeat
  }
}

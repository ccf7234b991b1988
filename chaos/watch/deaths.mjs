import { familiesTried } from '../ledger.mjs';

/** @typedef {import('../ledger.mjs').Family} Family */
/** @typedef {import('../app-process.mjs').Life} Life */
/** @typedef {import('@millrace/shared/redis/connection').Redis} Redis */
/** @typedef {import('@millrace/shared/redis/keys').Keys} Keys */
/**
 * A worker's death, and what became of the tasks that it held.
 *
 * @typedef {object} Death
 * @property {Life} life
 * @property {number} held
 * @property {Map<string, Family>} gone tasks that stand as the dead worker's
 * @property {Map<string, Family>} idle tasks that no other worker has taken up
 * @property {number} clockMs while the mill could serve: Redis reachable, some worker alive
 * @property {number} backMs the longest until a task was others' to take
 * @property {number} takenMs the longest until a task was taken up or ended
 * @property {number} wallMs as backMs, on the wall's clock
 */

const everyMs = 200;

/** Measures how long a killed worker's tasks stay with the dead. Reads Redis past the proxy. */
export class DeathWatch {
  /** @type {Death[]} */
  deaths = [];
  #redis;
  #keys;
  #serves;
  #looking = false;
  #lastTick = Date.now();
  /** @type {NodeJS.Timeout} */
  #timer;

  /** @param {{ redis: Redis, keys: Keys, serves: () => boolean }} params */
  constructor({ redis, keys, serves }) {
    this.#redis = redis;
    this.#keys = keys;
    this.#serves = serves;
    this.#timer = setInterval(() => void this.#tick(), everyMs);
  }

  /**
   * Who holds which tasks now: worker id -> job id -> family.
   *
   * @returns {Promise<Map<string, Map<string, Family>>>}
   */
  async holders() {
    /** @type {Map<string, Map<string, Family>>} */
    const found = new Map();
    for (const family of familiesTried) {
      const active = await this.#redis.lrange(this.#keys.bull(family, 'active'), 0, -1);
      const holders = await this.#fields(family, active, 'pb');
      active.forEach((jobId, index) => {
        const holder = holders[index] ?? '';
        found.set(holder, (found.get(holder) ?? new Map()).set(jobId, family));
      });
    }
    return found;
  }

  /** Takes down what a worker held that was killed just now. @param {Life} life @returns {Promise<number>} how many tasks */
  async begin(life) {
    const held = (await this.holders()).get(life.workerId ?? '') ?? new Map();
    const times = { clockMs: 0, backMs: 0, takenMs: 0, wallMs: 0 };
    this.deaths.push({ life, held: held.size, gone: held, idle: new Map(held), ...times });
    return held.size;
  }

  close() {
    clearInterval(this.#timer);
  }

  async #tick() {
    const now = Date.now();
    const passed = now - this.#lastTick;
    this.#lastTick = now;
    const open = this.deaths.filter(({ idle }) => idle.size > 0);
    if (this.#serves()) for (const death of open) death.clockMs += passed;
    if (this.#looking || open.length === 0) return;
    this.#looking = true;
    try {
      for (const death of open) await this.#look(death);
    } catch {
      // Redis is away: the next tick looks again.
    } finally {
      this.#looking = false;
    }
  }

  /** @param {Death} death */
  async #look(death) {
    for (const family of familiesTried) {
      const ids = [...death.idle].flatMap(([jobId, of]) => (of === family ? [jobId] : []));
      if (ids.length === 0) continue;
      const holders = await this.#fields(family, ids, 'pb');
      const finished = await this.#fields(family, ids, 'finishedOn');
      // Read last: a task that is not in it any more has left the dead worker, whatever its fields said before.
      const active = new Set(await this.#redis.lrange(this.#keys.bull(family, 'active'), 0, -1));
      ids.forEach((jobId, index) => {
        const isTaken = holders[index] !== death.life.workerId || finished[index] !== null;
        if (isTaken || !active.has(jobId)) this.#isBack(death, jobId);
        if (!isTaken) return;
        death.idle.delete(jobId);
        death.takenMs = death.clockMs;
      });
    }
  }

  /**
   * @param {Death} death
   * @param {string} jobId
   */
  #isBack(death, jobId) {
    if (!death.gone.delete(jobId)) return;
    death.backMs = death.clockMs;
    death.wallMs = Date.now() - (death.life.diedAt ?? Date.now());
  }

  /**
   * @param {Family} family
   * @param {readonly string[]} ids
   * @param {'pb' | 'finishedOn'} field
   * @returns {Promise<(string | null)[]>}
   */
  async #fields(family, ids, field) {
    return await Promise.all(ids.map((jobId) => this.#redis.hget(this.#keys.bull(family, jobId), field)));
  }
}

import { familiesTried } from '../ledger.mjs';

/** @typedef {import('../ledger.mjs').Family} Family */
/** @typedef {import('@millrace/shared/redis/connection').Redis} Redis */
/** @typedef {import('@millrace/shared/redis/keys').Keys} Keys */

const everyMs = 500;
const readAtOnce = 1000;

/** Counts how often each task was ended, by BullMQ's stream of events, read past the proxy. */
export class EndWatch {
  /** The ms since 1970 of each end of a task: job id -> times. @type {Map<string, number[]>} */
  ends = new Map();
  #redis;
  #keys;
  /** @type {Map<Family, string>} */
  #read = new Map(familiesTried.map((family) => [family, '0']));
  /** @type {Promise<void>} */
  #round = Promise.resolve();
  /** @type {NodeJS.Timeout} */
  #timer;

  /** @param {{ redis: Redis, keys: Keys }} params */
  constructor({ redis, keys }) {
    this.#redis = redis;
    this.#keys = keys;
    this.#timer = setInterval(() => void this.catchUp().catch(() => {}), everyMs);
  }

  /** Reads all that there is now. */
  catchUp() {
    this.#round = this.#round.catch(() => {}).then(() => this.#readAll());
    return this.#round;
  }

  close() {
    clearInterval(this.#timer);
  }

  async #readAll() {
    for (const family of familiesTried) {
      while ((await this.#readSome(family)) === readAtOnce);
    }
  }

  /** @param {Family} family */
  async #readSome(family) {
    const key = this.#keys.bull(family, 'events');
    const rows = await this.#redis.xrange(key, `(${this.#read.get(family)}`, '+', 'COUNT', readAtOnce);
    for (const [id, fields] of rows) {
      this.#read.set(family, id);
      const event = fieldOf(fields, 'event');
      const jobId = fieldOf(fields, 'jobId');
      if ((event !== 'completed' && event !== 'failed') || jobId === undefined) continue;
      this.ends.set(jobId, [...(this.ends.get(jobId) ?? []), Number(id.split('-')[0])]);
    }
    return rows.length;
  }
}

/**
 * @param {readonly string[]} fields name, value, name, value
 * @param {string} name
 */
function fieldOf(fields, name) {
  const at = fields.findIndex((field, index) => index % 2 === 0 && field === name);
  return at === -1 ? undefined : fields[at + 1];
}

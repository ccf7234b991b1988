import { familiesTried } from '../ledger.mjs';
import { pause } from '../pause.mjs';

/** @typedef {import('../ledger.mjs').Family} Family */
/** @typedef {{ scheduled: number, queued: number, running: number, succeeded: number, failed: number }} Counts */
/**
 * @typedef {object} CountsParams
 * @property {readonly string[]} apiUrls
 * @property {import('../ledger.mjs').Ledger} ledger
 * @property {readonly import('../losses.mjs').LossWindow[]} windows when Redis may forget
 * @property {AbortSignal} signal
 */

const answerWithinMs = 10_000;
/** A read may have begun so long before the one that it is held against. */
const readAgainMs = 5000;

/** Reads GET /v1/queues all the time and holds it against the ledger. */
export class CountsWatch {
  reads = 0;
  /** What did not add up. @type {string[]} */
  faults = [];
  #params;
  /** @type {Map<Family, { ended: number, at: number }>} */
  #last = new Map();

  /** @param {CountsParams} params */
  constructor(params) {
    this.#params = params;
  }

  /** @param {number} everyMs */
  async run(everyMs) {
    const { apiUrls, signal } = this.#params;
    for (let turn = 0; !signal.aborted; turn += 1) {
      await this.#readOnce(apiUrls[turn % apiUrls.length] ?? '');
      await pause(everyMs, signal);
    }
  }

  /** @param {string} apiUrl */
  async #readOnce(apiUrl) {
    const { ledger } = this.#params;
    const before = new Map(familiesTried.map((family) => [family, ledger.bounds(family).least]));
    const at = Date.now();
    const queues = await readCounts(apiUrl);
    if (queues === undefined) return;
    this.reads += 1;
    for (const family of familiesTried) {
      const counts = queues.get(family);
      if (counts === undefined) continue;
      this.#compare({ family, counts, least: before.get(family) ?? 0, at });
    }
  }

  /** @param {{ family: Family, counts: Counts, least: number, at: number }} read */
  #compare({ family, counts, least, at }) {
    const { ledger, windows } = this.#params;
    const ended = counts.succeeded + counts.failed;
    const sum = counts.scheduled + counts.queued + counts.running + ended;
    const mayBeLost = ledger.acceptedWithin(windows).filter(({ task }) => task.family === family).length;
    const { most } = ledger.bounds(family);
    if (sum < least - mayBeLost || sum > most) {
      this.faults.push(
        `${family}: ${sum} tasks in all states, ${least} to ${most} expected: ${JSON.stringify(counts)}`,
      );
    }
    const last = this.#last.get(family);
    // What ended in the moment before Redis was killed, or its master replaced, may have to be done again.
    const mayForget = windows.some(({ to }) => to >= (last?.at ?? 0) - readAgainMs);
    if (last !== undefined && ended < last.ended && !mayForget) {
      this.faults.push(`${family}: ${ended} had ended, ${last.ended} a moment before`);
    }
    this.#last.set(family, { ended, at });
  }
}

/**
 * @param {string} apiUrl
 * @returns {Promise<Map<string, Counts> | undefined>} undefined when there was no answer
 */
export async function readCounts(apiUrl) {
  try {
    const response = await fetch(`${apiUrl}/v1/queues`, { signal: AbortSignal.timeout(answerWithinMs) });
    if (response.status !== 200) return undefined;
    const { queues } = /** @type {{ queues: { family: string, counts: Counts }[] }} */ (await response.json());
    return new Map(queues.map(({ family, counts }) => [family, counts]));
  } catch {
    return undefined;
  }
}

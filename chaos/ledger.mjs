import { isWithin } from './losses.mjs';

/** @typedef {import('./workload.mjs').PlannedTask} PlannedTask */
/** @typedef {import('./workload.mjs').Family} Family */
/**
 * What a producer knows of a task. `sent`: not answered yet. `maybe`: nobody knows whether it was accepted (503, a broken
 * connection). `refused`: it was said that it was not accepted.
 *
 * @typedef {object} Entry
 * @property {PlannedTask} task
 * @property {'sent' | 'accepted' | 'maybe' | 'refused'} state
 * @property {string | undefined} id of an accepted task
 * @property {number} sentAt ms since 1970
 * @property {number} at ms since 1970, of the answer
 * @property {string} reason why it is not accepted
 */

/** @type {readonly Family[]} */
export const familiesTried = ['inference', 'text'];

/** What was sent and what was answered. It learns nothing from Redis. */
export class Ledger {
  /** @type {Map<number, Entry>} */
  entries = new Map();
  /** The longest that a producer waited for an answer, in ms. */
  longestAnswerMs = 0;
  #counts = {
    sent: { inference: 0, text: 0 },
    accepted: { inference: 0, text: 0 },
    maybe: { inference: 0, text: 0 },
    refused: { inference: 0, text: 0 },
  };

  /** @param {PlannedTask} task */
  sent(task) {
    this.entries.set(task.number, {
      task,
      state: 'sent',
      id: undefined,
      sentAt: Date.now(),
      at: Date.now(),
      reason: '',
    });
    this.#counts.sent[task.family] += 1;
  }

  /**
   * @param {PlannedTask} task
   * @param {{ state: 'accepted' | 'maybe' | 'refused', id?: string, reason?: string, tookMs: number }} answer
   */
  answered(task, { state, id, reason = '', tookMs }) {
    const sentAt = this.entries.get(task.number)?.sentAt ?? Date.now();
    this.entries.set(task.number, { task, state, id, sentAt, at: Date.now(), reason });
    this.#counts[state][task.family] += 1;
    this.longestAnswerMs = Math.max(this.longestAnswerMs, tookMs);
  }

  /** @param {Entry['state']} state */
  count(state) {
    return familiesTried.reduce((sum, family) => sum + this.#counts[state][family], 0);
  }

  /**
   * How many tasks there must be now, and may be.
   *
   * @param {Family} family
   */
  bounds(family) {
    const { sent, accepted, refused } = this.#counts;
    return { least: accepted[family], most: sent[family] - refused[family] };
  }

  /**
   * Tasks that were accepted when Redis may have forgotten them.
   *
   * @param {readonly import('./losses.mjs').LossWindow[]} windows
   * @returns {Entry[]}
   */
  acceptedWithin(windows) {
    return [...this.entries.values()].filter(({ state, at }) => state === 'accepted' && isWithin(windows, at));
  }
}

import { Millrace } from '@millrace/client';
import { prefix } from './fleet.mjs';
import { pause, pauseUntil } from './pause.mjs';
import { tagPrefix } from './workload.mjs';

/** @typedef {import('./workload.mjs').PlannedTask} PlannedTask */
/** @typedef {{ state: 'accepted' | 'maybe' | 'refused', id?: string, reason?: string }} Answer */
/** @typedef {(task: PlannedTask) => Promise<Answer>} Send */
/**
 * @typedef {object} ProducersParams
 * @property {readonly PlannedTask[]} tasks
 * @property {import('./ledger.mjs').Ledger} ledger
 * @property {readonly string[]} apiUrls
 * @property {string} redisUrl of the proxy, for the client
 * @property {AbortSignal} signal
 */

const senders = { http: 16, client: 6 };
/** What a producer does that gets no answer: it goes on with the next task, a little later. */
const pauseMs = 700;
/** A request that takes longer is given up, and held against the API. */
const answerWithinMs = 15_000;

/** Sends all tasks when they are due, each once: whoever is not answered does not ask again. @param {ProducersParams} params */
export async function produce({ tasks, ledger, apiUrls, redisUrl, signal }) {
  const beganAt = Date.now();
  const mill = new Millrace({ redisUrl, prefix });
  try {
    const http = tasks.filter(({ via }) => via === 'http').values();
    const client = tasks.filter(({ via }) => via === 'client').values();
    /** @type {(rest: Iterable<PlannedTask>, send: Send) => Promise<void>} */
    const run = async (rest, send) => {
      // All senders take from the same iterator, so each task is sent once.
      for (const task of rest) {
        await pauseUntil(beganAt + task.dueMs, signal);
        if (signal.aborted) return;
        await sendOne({ task, send, ledger, signal });
      }
    };
    await Promise.all([
      ...Array.from({ length: senders.http }, () => run(http, sendByHttp(apiUrls))),
      ...Array.from({ length: senders.client }, () => run(client, sendByClient(mill))),
    ]);
  } finally {
    await mill.close();
  }
}

/** @param {{ task: PlannedTask, send: Send, ledger: import('./ledger.mjs').Ledger, signal: AbortSignal }} params */
async function sendOne({ task, send, ledger, signal }) {
  ledger.sent(task);
  const begin = performance.now();
  const answer = await send(task);
  ledger.answered(task, { ...answer, tookMs: performance.now() - begin });
  if (answer.state !== 'accepted') await pause(pauseMs, signal);
}

/** @param {PlannedTask} task */
function optionsOf({ number, priority }) {
  return { tags: [`${tagPrefix}${number}`], ...(priority === undefined ? {} : { priority }) };
}

/**
 * @param {readonly string[]} apiUrls
 * @returns {Send}
 */
function sendByHttp(apiUrls) {
  return async (task) => {
    try {
      const response = await fetch(`${apiUrls[task.number % apiUrls.length]}/v1/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ type: task.type, input: task.input, ...optionsOf(task) }),
        signal: AbortSignal.timeout(answerWithinMs),
      });
      const body = /** @type {any} */ (await response.json());
      if (response.status === 202) return { state: 'accepted', id: body.id };
      // 503 says that nobody knows; any other refusal says no.
      const state = response.status === 503 || response.status === 500 ? 'maybe' : 'refused';
      return { state, reason: `HTTP ${response.status} ${body.code}` };
    } catch (error) {
      const { name, cause } = /** @type {Error & { cause?: { code?: string } }} */ (error);
      return { state: 'maybe', reason: cause?.code ?? name };
    }
  };
}

/**
 * @param {Millrace} mill
 * @returns {Send}
 */
function sendByClient(mill) {
  return async (task) => {
    try {
      const { id } = await mill.enqueue(task.type, /** @type {any} */ (task.input), optionsOf(task));
      return { state: 'accepted', id };
    } catch (error) {
      const { code, message } = /** @type {Error & { code?: string }} */ (error);
      return {
        state: code === 'REDIS_UNAVAILABLE' || code === 'INTERNAL' ? 'maybe' : 'refused',
        reason: code ?? message,
      };
    }
  };
}

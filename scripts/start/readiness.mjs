import { Refusal } from '../setup/refusal.mjs';

const LIMIT_MS = 120_000; // a model is loaded in a second or two; slow disks take longer
const POLL_MS = 100;
const ANSWER_WITHIN_MS = 5000;

/**
 * Waits until the API answers /healthz, and /readyz says `worker: { warm: true }`: at least one worker has loaded its models.
 *
 * @param {{ address: string, signal: AbortSignal, limitMs?: number }} options
 */
export async function waitUntilReady({ address, signal, limitMs = LIMIT_MS }) {
  const deadline = performance.now() + limitMs;
  let last = 'no answer';
  for (let path = '/healthz'; ; ) {
    if (signal.aborted) return;
    const { ok, body } = await get(`${address}${path}`);
    if (ok && path === '/healthz') path = '/readyz';
    else if (ok && isWarm(body)) return;
    else {
      last = `${path}: ${body || 'no answer'}`;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    if (performance.now() > deadline) {
      throw new Refusal(`Not ready after ${limitMs / 1000} s (${last.slice(0, 300)}); the logs named above say more.`);
    }
  }
}

/** @param {string} body */
function isWarm(body) {
  try {
    return JSON.parse(body).worker?.warm === true;
  } catch {
    return false;
  }
}

/** @param {string} url */
async function get(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return { ok: response.ok, body: await response.text() };
  } catch {
    return { ok: false, body: '' }; // not listening yet
  }
}

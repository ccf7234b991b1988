/** @typedef {{ stop: AbortSignal, force: AbortSignal, release: () => void }} StopRequests */

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

// Danger: under npm one Ctrl-C comes twice within milliseconds, from the terminal and handed on by npm. Only a signal
// that comes later than this is a person who asks again.
const ECHO_MS = 500;

/**
 * The first signal asks to stop, a later one to hurry.
 *
 * @param {NodeJS.EventEmitter} [source]
 * @param {() => number} [now] ms
 * @returns {StopRequests}
 */
export function watchStopRequests(source = process, now = () => performance.now()) {
  const stop = new AbortController();
  const force = new AbortController();
  let askedAt = 0;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      askedAt = now();
      stop.abort();
    } else if (now() - askedAt > ECHO_MS) {
      force.abort();
    }
  };
  for (const name of SIGNALS) source.on(name, onSignal);
  return {
    stop: stop.signal,
    force: force.signal,
    release() {
      for (const name of SIGNALS) source.off(name, onSignal);
    },
  };
}

/**
 * @typedef {object} StopRequests
 * @property {AbortSignal} stop its reason is the signal's name
 * @property {AbortSignal} force
 * @property {() => void} release
 */

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const PARENT_CHECK_MS = 250;

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
  /** @param {string} name */
  const onSignal = (name) => {
    if (!stop.signal.aborted) {
      askedAt = now();
      stop.abort(name);
    } else if (now() - askedAt > ECHO_MS) {
      force.abort(name);
    }
  };
  for (const name of SIGNALS) source.on(name, onSignal);
  const watch = watchParent(() => onSignal('SIGHUP'));
  return {
    stop: stop.signal,
    force: force.signal,
    release() {
      for (const name of SIGNALS) source.off(name, onSignal);
      clearInterval(watch);
    },
  };
}

/**
 * npm hands a SIGTERM only to the shell between it and us, which dies without a word; and a kill -9 of npm tells
 * nobody. Under npm, losing the parent is therefore a request to stop.
 *
 * @param {() => void} onLost
 * @returns {NodeJS.Timeout | undefined}
 */
function watchParent(onLost) {
  if (process.env['npm_lifecycle_event'] === undefined) return undefined;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onLost();
  }, PARENT_CHECK_MS);
  return timer.unref();
}

/** The server's events, and how the connection stands. */

/** @typedef {import('../src/overview/overview-schema.ts').Overview} Overview */
/** @typedef {'connecting' | 'live' | 'away' | 'lost' | 'locked'} Connection */

const againMs = 2000;

/**
 * Follows the overview while the page is seen: a page in the background costs the server nothing.
 * @param {{ onOverview(overview: Overview): void, onConnection(state: Connection, word?: string): void }} listener
 */
export function follow({ onOverview, onConnection }) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const open = () => {
    close();
    const opened = new EventSource('/v1/overview/events');
    source = opened;
    opened.addEventListener('overview', ({ data }) => {
      onConnection('live');
      onOverview(JSON.parse(data));
    });
    opened.addEventListener('problem', ({ data }) => onConnection('away', JSON.parse(data).detail));
    opened.addEventListener('error', async () => {
      // It comes back by itself, unless it was answered with an error.
      const refused = opened.readyState === EventSource.CLOSED;
      onConnection('lost');
      if (!refused || source !== opened) return;
      timer = setTimeout(open, againMs);
      if (await isLocked()) onConnection('locked');
    });
  };

  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  if (!document.hidden) open();
}

/** Whether the API wants a key that this browser does not send any more. */
async function isLocked() {
  const answer = await fetch('/v1/overview').catch(() => undefined);
  return answer?.status === 401 || answer?.status === 403;
}

import { join } from 'node:path';

/**
 * @param {number} level as pino's
 * @param {string} msg
 */
export function log(level, msg) {
  process.stdout.write(`${JSON.stringify({ level, pid: process.pid, msg })}\n`);
}

/**
 * What `npm start` asks of an app: end on SIGTERM, and when the supervisor's IPC channel closes.
 *
 * @param {() => void} close
 */
export function stopWhenAsked(close) {
  for (const event of ['SIGTERM', 'disconnect']) {
    process.once(event, () => {
      log(30, `ends on ${event}`);
      close();
      if (process.connected) process.disconnect();
    });
  }
}

/** How the worker tells the API that it is warm; the real ones have Redis for it. One for each supervisor. */
export function warmFile() {
  return join(process.env['MILLRACE_HOME'] ?? '', `warm-${process.ppid}`);
}

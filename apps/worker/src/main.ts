import { toMillraceError } from '@millrace/shared/errors';
import { createLogger, type Logger } from '@millrace/shared/logger';
import { startTracing } from '@millrace/shared/tracing';
import { readConfig } from './config.ts';
import { createWorker, newWorkerId } from './worker.ts';

/** The worker's process: settings, start, signals, end. */
async function main(): Promise<void> {
  const id = newWorkerId();
  const stop = { begun: false };
  let log = createLogger({ name: 'worker', level: 'info', bindings: { workerId: id } });
  try {
    const config = readConfig();
    log = createLogger({ name: 'worker', level: config.LOG_LEVEL, bindings: { workerId: id } });
    const tracing = await startTracing({ serviceName: 'millrace-worker', log });
    const worker = createWorker({ id, config, log, tracing });
    onStop(stop, () => worker.close().finally(() => tracing?.close()), log);
    await worker.start();
    log.info({ event: 'worker.started', families: config.FAMILIES }, 'the worker is warm and pulls');
  } catch (error) {
    // A start that a stop cuts off fails, and that is nobody's business.
    if (stop.begun) return;
    const { code, message } = toMillraceError(error);
    log.fatal({ event: 'worker.failed', code }, message);
    process.exit(1);
  }
}

/** SIGTERM, SIGINT or the end of whoever started it (IPC): closes in order and exits. A second signal ends it at once. */
function onStop(state: { begun: boolean }, close: () => Promise<void>, log: Logger): void {
  const stop = (reason: string) => {
    if (state.begun) {
      log.warn({ event: 'worker.forced', reason }, 'forced to end: what it held comes back when its locks run out');
      process.exit(1);
    }
    state.begun = true;
    log.info({ event: 'worker.stopping', reason }, 'the worker stops');
    void close()
      .then(() => log.info({ event: 'worker.stopped' }, 'the worker has stopped'))
      .finally(() => process.exit());
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('disconnect', () => stop('its supervisor is gone'));
  // It may be gone already.
  if (process.send !== undefined && !process.connected) stop('its supervisor is gone');
}

await main();

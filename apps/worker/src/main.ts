import { toMillraceError } from '@millrace/shared/errors';
import { createLogger, type Logger } from '@millrace/shared/logger';
import { readConfig, type WorkerConfig } from './config.ts';
import { newWorkerId, type RunningWorker, startWorker } from './worker.ts';

/** The worker's process: settings, start, signals, end. */
async function main(): Promise<void> {
  const id = newWorkerId();
  let log = createLogger({ name: 'worker', level: 'info', bindings: { workerId: id } });
  try {
    const config = readConfig();
    log = createLogger({ name: 'worker', level: config.LOG_LEVEL, bindings: { workerId: id } });
    await run(id, config, log);
  } catch (error) {
    const { code, message } = toMillraceError(error);
    log.fatal({ event: 'worker.failed', code }, message);
    process.exitCode = 1;
    process.exit();
  }
}

async function run(id: string, config: WorkerConfig, log: Logger): Promise<void> {
  const starting = startWorker(id, config, log);
  onStop(starting, log);
  await starting;
  log.info({ event: 'worker.started', families: config.FAMILIES }, 'the worker is warm and pulls');
}

/** SIGTERM, SIGINT or the end of whoever started it (IPC): closes in order. A second signal ends it at once. */
function onStop(starting: Promise<RunningWorker>, log: Logger): void {
  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) {
      log.warn({ event: 'worker.forced', reason }, 'forced to end: what it held comes back when its locks run out');
      process.exit(1);
    }
    stopping = true;
    log.info({ event: 'worker.stopping', reason }, 'the worker stops');
    starting
      .then((worker) => worker.close())
      .then(() => log.info({ event: 'worker.stopped' }, 'the worker has stopped'))
      // A start that failed has been reported and closed by main.
      .catch(() => {})
      .finally(() => process.exit());
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('disconnect', () => stop('its supervisor is gone'));
}

await main();

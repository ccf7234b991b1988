import { setFlagsFromString } from 'node:v8';
import { toMillraceError } from '@millrace/shared/errors';
import { createLogger, type Logger } from '@millrace/shared/logger';
import { startTracing, type Tracing } from '@millrace/shared/tracing';
import { type Api, openApi } from './api.ts';
import { type ApiConfig, readConfig } from './config.ts';

/**
 * How far the heap may grow beyond what lives before it is cleaned, in per cent. V8's own measure is up to 300: of a process that
 * passes large piles of text on nearly all is garbage, and would take 400 MB for 60 that live. Measured: as fast.
 */
const heapGrowthPercent = 100;

/** The API's process: settings, start, signals, end. */
async function main(): Promise<void> {
  let log = createLogger({ name: 'api', level: 'info' });
  try {
    const config = readConfig();
    log = createLogger({ name: 'api', level: config.LOG_LEVEL });
    await run(config, log);
  } catch (error) {
    fail(log, error);
  }
}

async function run(config: ApiConfig, log: Logger): Promise<void> {
  const tracing = await startTracing({ serviceName: 'millrace-api', log });
  const api = await openApi({ config, log, tracing, tell: (line) => void process.stdout.write(`${line}\n`) });
  onStop(api, tracing, log);
  // Refused at its first answer, whenever that is: nothing may be accepted into a Redis that throws tasks away.
  api.redisChecked.catch(async (error: unknown) => {
    await api.close();
    fail(log, error);
  });
  await listen(api, config);
  log.info({ event: 'api.listening', host: config.HOST, port: config.PORT }, 'the API takes requests');
}

async function listen({ app }: Api, config: ApiConfig): Promise<void> {
  try {
    const { HOST: host, PORT: port } = config;
    await app.listen({ host, port, listenTextResolver: (address) => `the API listens at ${address}` });
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, config);
  }
}

function listenError(error: NodeJS.ErrnoException, { HOST, PORT }: ApiConfig): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new Error(
        `Port ${PORT} is taken by another program; choose one with PORT=${PORT === 3001 ? 3002 : 3001} …`,
      );
    case 'EACCES':
      return new Error(`Port ${PORT} may not be used by this user; choose one with PORT=3001 …`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new Error(`HOST ${HOST} is no address of this machine; try HOST=127.0.0.1 …`);
    default:
      return error;
  }
}

function fail(log: Logger, error: unknown): void {
  const { code, message } = toMillraceError(error);
  log.fatal({ event: 'api.failed', code }, message);
  process.exit(1);
}

/** SIGTERM, SIGINT or the end of whoever started it (IPC): closes in order. A second signal ends it at once. */
function onStop(api: Api, tracing: Tracing | undefined, log: Logger): void {
  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) {
      log.warn({ event: 'api.forced', reason }, 'forced to end');
      process.exit(1);
    }
    stopping = true;
    log.info({ event: 'api.stopping', reason }, 'the API stops');
    void api.close().then(async () => {
      await tracing?.close();
      log.info({ event: 'api.stopped' }, 'the API has stopped');
      process.exit();
    });
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('disconnect', () => stop('its supervisor is gone'));
}

setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
await main();

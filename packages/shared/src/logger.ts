import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

interface LoggerParams {
  /** The process: api, worker, lane … */
  readonly name: string;
  readonly level: string;
  /** Fields of every line, such as workerId. */
  readonly bindings?: Record<string, string | number>;
  readonly destination?: DestinationStream;
}

/** JSON lines on stdout, one an event. Never give it payloads or keys. */
export function createLogger({ name, level, bindings = {}, destination }: LoggerParams): Logger {
  const options = { level, base: { name, ...bindings }, timestamp: pino.stdTimeFunctions.isoTime };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** For a library inside somebody's app: silent. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

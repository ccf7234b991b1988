import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import type { RedisHost } from './redis-url.ts';

/** Knows who is the master of a mill now. */
export interface MasterSeeker {
  /** @throws Error when nobody can say, or the master does not serve. */
  find(): Promise<RedisHost>;
  /** Calls back when another than this has become master, until what it returns is called. */
  watch(host: RedisHost, onReplaced: () => void): () => void;
}

/** Opens the connections to a master, again and again. */
export type ConnectorClass = new (options: unknown) => AbstractConnector;

/** How long a Sentinel or node may take to take a connection, and to answer a command; ms. */
const patienceMs = 2000;

/**
 * A connection that goes to whoever is master: he is asked for anew whenever it is made, and it is given up when another has taken
 * his place, since the old one may go on as if nothing were, and what it is told would be lost.
 */
export function masterConnector(seeker: MasterSeeker, retryDelayMs: (attempt: number) => number): ConnectorClass {
  return class extends MasterConnector {
    constructor(options: unknown) {
      super(options as RedisOptions, seeker, retryDelayMs);
    }
  };
}

class MasterConnector extends AbstractConnector {
  private readonly options: RedisOptions;
  private readonly seeker: MasterSeeker;
  private readonly retryDelayMs: (attempt: number) => number;
  /** The last socket that was asked to end. */
  private ended: Socket | undefined;

  constructor(options: RedisOptions, seeker: MasterSeeker, retryDelayMs: (attempt: number) => number) {
    super(options.disconnectTimeout ?? patienceMs);
    this.options = options;
    this.seeker = seeker;
    this.retryDelayMs = retryDelayMs;
  }

  /** Tries until it is told to stop: a rejection would end the connection for good. */
  override async connect(tell: (type: string, error: Error) => void): Promise<Socket> {
    this.connecting = true;
    for (let attempt = 1; ; attempt += 1) {
      const found = await this.seeker.find().catch((error: Error) => error);
      if (!this.connecting) throw new Error('Connection is closed.');
      if (!(found instanceof Error)) return this.open(found);
      tell('error', found);
      await sleep(this.retryDelayMs(attempt));
    }
  }

  /** A failover between the question and now may have made it a replica. */
  override check(info: { role?: string }): boolean {
    return info.role === undefined || info.role === 'master';
  }

  override disconnect(): void {
    this.connecting = false;
    // Of a socket that has closed already no end is told, and the process would be kept for its time limit. Many commands that
    // find the wrong master ask for the same end.
    if (this.stream === undefined || this.stream.destroyed || this.stream === this.ended) return;
    this.ended = this.stream;
    super.disconnect();
  }

  private open(host: RedisHost): Socket {
    const { tls, family } = this.options;
    const where = { ...host, ...(family === undefined ? {} : { family }) };
    const stream = tls ? connectTls({ ...where, ...tls }) : connect(where);
    this.stream = stream;
    stream.once('error', (error) => {
      this.firstError = error;
    });
    stream.once(
      'close',
      this.seeker.watch(host, () => stream.destroy()),
    );
    return stream;
  }
}

/** How to log in at a server that is asked. */
export type Login = Pick<RedisOptions, 'username' | 'password' | 'family' | 'tls'>;

/** Asks a Sentinel or node something, on a connection of its own. @throws Error when it does not answer in time. */
export async function askServer<T>(host: RedisHost, login: Login, question: (server: Redis) => Promise<T>): Promise<T> {
  const server = openServer(host, login, null);
  // What became of the connection says more than that the command got no answer.
  let trouble: Error | undefined;
  server.on('error', (error: Error) => {
    trouble ??= error;
  });
  try {
    return await question(server);
  } catch (error) {
    throw trouble ?? error;
  } finally {
    server.disconnect();
  }
}

/** A connection to a Sentinel or node that says nothing of its troubles: its commands fail. */
export function openServer(host: RedisHost, login: Login, retryDelayMs: (() => number) | null): Redis {
  const server = new Redis({
    ...host,
    ...login,
    retryStrategy: retryDelayMs,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
  });
  server.on('error', () => {});
  return server;
}

/** Asks one server after the other. @throws Error with what the last has said. */
export async function firstAnswer<T>(
  hosts: readonly RedisHost[],
  question: (host: RedisHost) => Promise<T>,
): Promise<T> {
  let problem = new Error('nobody is known who could say who is master');
  for (const host of unique(hosts)) {
    try {
      return await question(host);
    } catch (error) {
      problem = new Error(`${host.host}:${host.port}: ${(error as Error).message}`, { cause: error });
    }
  }
  throw problem;
}

/** Each host once, in order. */
export function unique(hosts: readonly RedisHost[]): RedisHost[] {
  return [...new Map([...hosts].reverse().map((host) => [`${host.host}:${host.port}`, host])).values()].reverse();
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { askServer, type Login, type MasterSeeker, openServer } from './master-connector.ts';
import type { RedisHost } from './redis-url.ts';

interface SentinelParams {
  readonly hosts: readonly RedisHost[];
  /** The name that the Sentinels know the master by. */
  readonly master: string;
  /** At the Sentinels. */
  readonly login: Login;
}

interface Answer {
  readonly host: RedisHost;
  /** Rises with every failover: of two answers the higher one is newer. */
  readonly epoch: number;
}

interface Listener {
  readonly host: RedisHost;
  readonly onReplaced: () => void;
}

/** What Sentinels publish once another is master. */
const switched = '+switch-master';
/** How often a Sentinel that is away is tried again; ms. */
const retryMs = 2000;
/** One Sentinel may learn of a failover a second after another: once one has answered, the others have so long; ms. */
const graceMs = 200;

/**
 * Asks Sentinels. They tell when another has become master, and must be listened to: at a failover that somebody asks for, the old
 * one goes on as master for some 10 s, and whatever it is told then is lost.
 */
export class SentinelMaster implements MasterSeeker {
  private readonly params: SentinelParams;
  private readonly listeners = new Set<Listener>();
  private ears: readonly Redis[] = [];

  constructor(params: SentinelParams) {
    this.params = params;
  }

  async find(): Promise<RedisHost> {
    const answers: Answer[] = [];
    const asked = this.params.hosts.map(async (host) => void answers.push(await this.askAt(host)));
    try {
      await Promise.any(asked);
    } catch (error) {
      throw (error as AggregateError).errors.at(-1);
    }
    await Promise.race([Promise.allSettled(asked), sleep(graceMs)]);
    return answers.reduce((newest, answer) => (answer.epoch > newest.epoch ? answer : newest)).host;
  }

  watch(host: RedisHost, onReplaced: () => void): () => void {
    const listener = { host, onReplaced };
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.listen();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      for (const ear of this.ears) ear.disconnect();
      this.ears = [];
    };
  }

  private async askAt(at: RedisHost): Promise<Answer> {
    const { login, master } = this.params;
    try {
      return await askServer(at, login, async (server) => {
        // In the midst of a failover only the first names the one who will be master.
        const [address, fields] = await Promise.all([
          server.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master),
          server.call('SENTINEL', 'MASTER', master) as Promise<string[]>,
        ]);
        const [host = '', port] = address as string[];
        return { host: { host, port: Number(port) }, epoch: Number(fields[fields.indexOf('config-epoch') + 1]) };
      });
    } catch (error) {
      throw new Error(`Sentinel ${at.host}:${at.port}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** To all of them: any may be the one that is cut off. */
  private listen(): void {
    this.ears = this.params.hosts.map((host) => openServer(host, this.params.login, () => retryMs));
    for (const ear of this.ears) {
      const look = () => void this.look().catch(() => {});
      ear.on('message', (_channel, text: string) => {
        if (text.split(' ')[0] === this.params.master) look();
      });
      // What was told while nobody listened is found by looking.
      ear.on('ready', () => void ear.subscribe(switched).then(look, () => {}));
    }
  }

  private async look(): Promise<void> {
    const { host, port } = await this.find();
    for (const listener of [...this.listeners]) {
      if (listener.host.host !== host || listener.host.port !== port) listener.onReplaced();
    }
  }
}

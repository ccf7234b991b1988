import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@millrace/shared/logger';
import type { Collection } from '@millrace/shared/tasks/vector/collection';
import type { IndexBackend } from './backends/vector-index.ts';
import type { LoadedReplica, Replica } from './replica.ts';
import { readSnapshot, writeSnapshot } from './snapshot-files.ts';

interface SnapshotsParams {
  /** The folder of this mill's snapshots, shared by the workers of a machine. */
  readonly folder: string;
  readonly backend: IndexBackend;
  readonly log: Logger;
  /** ms since 1970. */
  readonly now: () => number;
}

/** Of a collection so many are kept: if the newest is damaged there is one more. */
const kept = 2;
/** Fewer points are loaded from Redis as fast. */
const worthKeeping = 2000;
/** At the least between two snapshots of a collection, and so many times as long as the last one took to write; ms. */
const leastPauseMs = 60_000;
const pauseFactor = 20;
/** What a writer left behind that died, and what is left of dropped collections, is removed after so long; ms. */
const abandonedMs = 3_600_000;

/** What is known of the snapshots of a collection. */
interface Pace {
  version: number;
  nextAt: number;
}

/**
 * Snapshots of replicas: `<folder>/<collection>-<generation>/<version>-<random>`. Written in the background when the index is
 * complete and something has changed, read by the next worker that starts. Any of them may be deleted at any time.
 */
export class Snapshots {
  private readonly params: SnapshotsParams;
  private readonly paces = new Map<string, Pace>();

  constructor(params: SnapshotsParams) {
    this.params = params;
  }

  /** The newest good snapshot of a collection; damaged ones are passed over. */
  async newest(collection: Collection): Promise<LoadedReplica | undefined> {
    const { backend, log } = this.params;
    for (const { name, version } of await this.list(collection)) {
      const folder = path.join(this.folderOf(collection), name);
      try {
        const loaded = await readSnapshot(folder, { collection, backend });
        this.paces.set(collection.generation, { version, nextAt: this.params.now() + leastPauseMs });
        return loaded;
      } catch (error) {
        const facts = { collection: collection.name, folder, reason: (error as Error).message };
        log.warn({ event: 'snapshot.damaged', ...facts }, 'a snapshot cannot be used and is passed over');
      }
    }
    return undefined;
  }

  /** Writes a snapshot when it is time. Never throws: a worker does as well without. */
  async keep(replica: Replica): Promise<void> {
    const { collection, store, build, version, state } = replica;
    const { log, now, backend } = this.params;
    const pace = this.paces.get(collection.generation) ?? { version: 0, nextAt: 0 };
    if (state !== 'following' || store.size < worthKeeping || !build.isDone || version <= pace.version) return;
    if (now() < pace.nextAt) return;
    const facts = { collection: collection.name, version, points: store.size };
    const beganAt = now();
    try {
      const [there] = await this.list(collection);
      // Another worker of this machine has been faster.
      if (there === undefined || there.version < version) {
        await mkdir(this.folderOf(collection), { recursive: true });
        const folder = path.join(this.folderOf(collection), `${version}-${randomBytes(4).toString('hex')}`);
        await writeSnapshot(replica, { folder, backend: backend.name });
        log.info({ event: 'snapshot.written', ...facts, ms: now() - beganAt }, 'snapshot written');
      }
      await this.prune(collection);
    } catch (error) {
      log.warn({ event: 'snapshot.failed', ...facts, reason: (error as Error).message }, 'a snapshot was not written');
    }
    const pauseMs = Math.max(leastPauseMs, pauseFactor * (now() - beganAt));
    this.paces.set(collection.generation, { version, nextAt: now() + pauseMs });
  }

  /** Removes what belongs to no collection any more. */
  async sweep(generations: ReadonlySet<string>): Promise<void> {
    const { folder } = this.params;
    for (const name of await namesIn(folder)) {
      const belongs = [...generations].some((generation) => name.endsWith(`-${generation}`));
      if (!belongs) await this.removeAbandoned(path.join(folder, name));
    }
  }

  private async prune(collection: Collection): Promise<void> {
    const folder = this.folderOf(collection);
    for (const { name } of (await this.list(collection)).slice(kept)) {
      await rm(path.join(folder, name), { recursive: true, force: true });
    }
    for (const name of await namesIn(folder)) {
      if (name.startsWith('.draft-')) await this.removeAbandoned(path.join(folder, name));
    }
  }

  private async removeAbandoned(folder: string): Promise<void> {
    const facts = await stat(folder).catch(() => undefined);
    if (facts === undefined || this.params.now() - facts.mtimeMs < abandonedMs) return;
    await rm(folder, { recursive: true, force: true });
  }

  /** Those of a collection, newest first. */
  private async list(collection: Collection): Promise<{ name: string; version: number }[]> {
    const names = await namesIn(this.folderOf(collection));
    return names
      .filter((name) => /^\d+-[0-9a-f]+$/.test(name))
      .map((name) => ({ name, version: Number(name.split('-')[0]) }))
      .sort((a, b) => b.version - a.version);
  }

  private folderOf({ name, generation }: Collection): string {
    return path.join(this.params.folder, `${name}-${generation}`);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

import type { Redis } from '@millrace/shared/redis/connection';
import { FileIndex } from '@millrace/shared/redis/files';
import type { Keys } from '@millrace/shared/redis/keys';
import { Runs } from '@millrace/shared/redis/runs';
import type { Duty } from '@millrace/shared/sweep/sweeper';
import { isFileId, runOfPart } from './file-ids.ts';
import type { FileStore, StoredFile } from './file-store.ts';

interface FileDutyParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly store: FileStore;
  readonly now: () => number;
}

/** Files or runs that go in one step. */
const perStep = 200;
/** What nobody knows after this time is nobody's: far longer than an upload, or a piece of a run's output, takes; ms. */
const orphanedAfterMs = 3_600_000;

/** Removes files whose time is over, unless an open run needs them, and forgets runs that ended long ago. */
export function fileRetentionDuty({ redis, keys, store, now }: FileDutyParams): Duty {
  const index = new FileIndex(redis, keys);
  const runs = new Runs(redis, keys);
  return {
    name: 'files',
    everyMs: 30_000,
    run: async () => {
      let removed = 0;
      for (let kept = 0; ; ) {
        const ids = await index.expired(now(), { skip: kept, count: perStep });
        for (const id of ids) {
          const dropped = await index.drop(id);
          if (dropped === 'in-use') kept += 1;
          if (dropped !== 'dropped') continue;
          await store.delete(id);
          removed += 1;
        }
        if (ids.length < perStep) break;
      }
      return removed + (await runs.forget(now(), perStep));
    },
  };
}

/** Removes what lies in the store and belongs to nothing: uploads that broke off, pieces of runs whose process died. */
export function orphanDuty({ redis, keys, store, now }: FileDutyParams): Duty {
  const index = new FileIndex(redis, keys);
  const runs = new Runs(redis, keys);
  const isOrphan = async ({ name, storedAt }: StoredFile, before: number) => {
    if (storedAt >= before) return false;
    const runId = runOfPart(name);
    if (runId !== undefined) return !(await runs.isOpen(runId));
    // What is not named as Millrace names things is somebody else's.
    return isFileId(name) && (await index.get(name)) === undefined;
  };
  return {
    name: 'file-orphans',
    everyMs: 600_000,
    run: async () => {
      const before = now() - orphanedAfterMs;
      let removed = await store.clearTorn(before);
      for await (const file of store.list('')) {
        if (!(await isOrphan(file, before))) continue;
        await store.delete(file.name);
        removed += 1;
      }
      return removed;
    },
  };
}

import { MillraceError } from '../errors.ts';
import type { Delivery } from '../webhook-events.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import {
  decodePart,
  decodeRun,
  encodeRun,
  endedRunStatuses,
  type Run,
  type RunChanges,
  type RunPart,
  type RunStatus,
} from './run-record.ts';
import { Script } from './script.ts';
import { pageBehind } from './sorted-pages.ts';

const openRun = new Script('open-run');
/** A run that goes on empties Redis of its tasks: it must not stop where Redis is full. */
const writeRun = new Script('write-run', { beyondLimit: true });
const endRun = new Script('end-run', { beyondLimit: true });

/** A change by whoever drives a run. */
interface RunWrite {
  /** Who holds its lease; undefined for a change that anybody may make. */
  readonly holder?: string;
  /** How it must stand; any status when left out. */
  readonly from?: readonly RunStatus[];
  readonly changes: RunChanges;
  /** A part of the output that is stored, noted in the same step. */
  readonly part?: RunPart;
}

/** How a run ends. */
interface RunEnd {
  readonly holder: string;
  readonly changes: RunChanges;
  readonly forgottenAt: number;
  readonly told?: Delivery | undefined;
}

/** `lost`: another process drives the run now. `other`: it stands otherwise than expected. */
export type RunWritten = 'written' | 'lost' | 'missing' | 'other';

/** Statuses or parts read in one command. */
const partsAtOnce = 1000;

/** The records of runs. All that drives one goes through its lease, so that a process that was taken for dead changes nothing. */
export class Runs {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Opens a run; its input is kept as long as it is open. False when there is no such file. */
  async open(run: Run): Promise<boolean> {
    const { keys } = this;
    const { id, inputFileId: file, createdAt } = run;
    const names = [keys.file(file), keys.fileUsers(file), keys.run(id), keys.runs, keys.openRuns];
    return (await openRun.run(this.redis, names, [id, createdAt, ...encodeRun(run)])) === 1;
  }

  async get(id: string): Promise<Run | undefined> {
    return decodeRun(await this.redis.hgetall(this.keys.run(id)));
  }

  async status(id: string): Promise<RunStatus | undefined> {
    return ((await this.redis.hget(this.keys.run(id), 'status')) as RunStatus | null) ?? undefined;
  }

  /** Up to `count` runs, newest first, behind one if it is given; undefined when there is no such one. */
  async list({ after, count }: { after: string | undefined; count: number }): Promise<Run[] | undefined> {
    const ids = await pageBehind(this.redis, this.keys.runs, { after, newestFirst: true, count });
    if (ids === undefined) return undefined;
    return (await Promise.all(ids.map((id) => this.get(id)))).filter((run) => run !== undefined);
  }

  /** The runs that have not ended, the oldest first. */
  async openIds(): Promise<string[]> {
    return await this.redis.zrange(this.keys.openRuns, '0', '-1');
  }

  async isOpen(id: string): Promise<boolean> {
    return (await this.redis.zscore(this.keys.openRuns, id)) !== null;
  }

  /** Changes a run. */
  async write(id: string, { holder = '', from = [], changes, part }: RunWrite): Promise<RunWritten> {
    const { keys } = this;
    const names = [keys.run(id), keys.lease(leaseName(id)), keys.runParts(id)];
    const args = [holder, among(from), part === undefined ? '' : JSON.stringify(part), ...encodeRun(changes)];
    return written(await writeRun.run(this.redis, names, args));
  }

  /**
   * Ends a run: its input may go from now on, and it is forgotten at `forgottenAt`, in ms since 1970. With it goes what somebody
   * is to be told.
   */
  async end(run: Pick<Run, 'id' | 'inputFileId'>, { holder, changes, forgottenAt, told }: RunEnd): Promise<RunWritten> {
    const { keys } = this;
    const names = [keys.run(run.id), keys.lease(leaseName(run.id)), keys.runParts(run.id)];
    const sets = [keys.openRuns, keys.endedRuns, keys.fileUsers(run.inputFileId), keys.webhookEnds];
    const open = among(['validating', 'in_progress', 'finalizing', 'cancelling']);
    const webhook = told === undefined ? ['', ''] : [told.id, JSON.stringify(told)];
    const args = [holder, open, run.id, forgottenAt, ...webhook, ...encodeRun(changes)];
    return written(await endRun.run(this.redis, [...names, ...sets], args));
  }

  /** The stored parts of a run's output, in order. */
  async *parts(id: string): AsyncGenerator<RunPart> {
    for (let start = 0; ; start += partsAtOnce) {
      const some = await this.redis.lrange(this.keys.runParts(id), start, start + partsAtOnce - 1);
      yield* some.map(decodePart);
      if (some.length < partsAtOnce) return;
    }
  }

  async partCount(id: string): Promise<number> {
    return await this.redis.llen(this.keys.runParts(id));
  }

  /** Forgets runs whose time was over at `now`, in ms since 1970; gives how many. */
  async forget(now: number, count: number): Promise<number> {
    const { keys } = this;
    const ids = await this.redis.zrangebyscore(keys.endedRuns, '-inf', now, 'LIMIT', 0, count);
    if (ids.length === 0) return 0;
    const write = this.redis.multi().del(...ids.map((id) => keys.run(id)));
    write.zrem(keys.runs, ...ids).zrem(keys.endedRuns, ...ids);
    for (const [error] of (await write.exec()) ?? []) if (error !== null) throw error;
    return ids.length;
  }
}

/** The lease of whoever drives a run. */
export function leaseName(runId: string): string {
  return `run:${runId}`;
}

export function hasRunEnded(status: RunStatus): boolean {
  return endedRunStatuses.some((ended) => ended === status);
}

function among(statuses: readonly RunStatus[]): string {
  return statuses.length === 0 ? '' : `,${statuses.join(',')},`;
}

function written(reply: unknown): RunWritten {
  switch (reply) {
    case 1:
      return 'written';
    case 0:
      return 'lost';
    case -1:
      return 'missing';
    case -2:
      return 'other';
    default:
      throw new MillraceError('INTERNAL', `a script of runs answered ${String(reply)}`);
  }
}

import { randomInt } from 'node:crypto';
import { MillraceError } from '../errors.ts';
import type { Fence } from '../tasks/preparation.ts';
import type { Collection, Moment } from '../tasks/vector/collection.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { decodePoint, encodePoint, encodeStamp, type PointWrite, type Stamp, type StoredPoint } from './point-bytes.ts';
import { Script } from './script.ts';

/** What must still be so when Redis comes to a write; otherwise nothing is written. */
export interface WriteGuard {
  /** The task that writes is this worker's. */
  readonly fence?: Fence | undefined;
  /** The document that the points are chunks of is given to this writer. */
  readonly document?: { readonly id: string; readonly ticket: string };
}

/** A point to delete: whatever it is now, or only if no other write has come since. */
interface PointDelete {
  readonly id: string;
  readonly stamp?: Stamp;
}

/** One entry of the change log: a moment, and the ids of the points that were written or deleted then. */
interface Change extends Moment {
  readonly ids: readonly string[];
}

/** What one call of Lua may hold Redis up with: 128 points of 384 numbers took 1 ms. */
const pieceBytes = 262_144;
const piecePoints = 128;
/** Entries of the change log: a replica that was away for longer reads all points anew. */
const logEntries = 20_000;

const writePoints = new Script('write-points');
const deletePoints = new Script('delete-points', { beyondLimit: true });

/**
 * The points of collections and their change logs. A write is cut into pieces, each atomic and a version of its own; to write
 * the same points again changes nothing but the version. What is read is of the collection that was asked for, not of one
 * that has its name now.
 */
export class Points {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /**
   * Writes points; the version of the last piece. `fingerprint`: of their model, undefined when it is not known.
   * @throws MillraceError COLLECTION_CHANGED, COLLECTION_MISMATCH with both fingerprints, PROCESSOR_FAILED when the task is not
   * this worker's any more.
   */
  async write(
    collection: Collection,
    points: readonly PointWrite[],
    { fingerprint = '', ...guard }: WriteGuard & { readonly fingerprint?: string | undefined } = {},
  ): Promise<number> {
    let version = 0;
    for (const piece of piecesOf(points)) {
      const args = piece.flatMap(({ id, payload }) => [id, payload]);
      const reply = await writePoints.run(this.redis, this.keysOf(collection, guard), [
        ...guardArgs(collection, guard),
        randomMark(),
        logEntries,
        fingerprint,
        ...args,
      ]);
      version = versionOf(reply as number[], collection, fingerprint);
    }
    return version;
  }

  /**
   * Deletes points. `changed`: those that were written since they had the stamp that was given.
   * @throws MillraceError COLLECTION_CHANGED, PROCESSOR_FAILED as `write`.
   */
  async delete(
    collection: Collection,
    points: readonly PointDelete[],
    guard: WriteGuard = {},
  ): Promise<{ readonly version: number; readonly deleted: number; readonly changed: string[] }> {
    let version = 0;
    let deleted = 0;
    const changed: string[] = [];
    for (let start = 0; start < points.length; start += piecePoints) {
      const piece = points.slice(start, start + piecePoints);
      const args = piece.flatMap(({ id, stamp }) => [id, stamp === undefined ? '' : encodeStamp(stamp)]);
      const reply = (await deletePoints.run(this.redis, this.keysOf(collection, guard), [
        ...guardArgs(collection, guard),
        randomMark(),
        logEntries,
        ...args,
      ])) as (number | string)[];
      version = versionOf(reply as number[], collection, '');
      deleted += Number(reply[1]);
      changed.push(...reply.slice(2).map(String));
    }
    return { version, deleted, changed };
  }

  /** Points by id, in order; undefined for those that are not there. @throws MillraceError COLLECTION_CHANGED. */
  async read(collection: Collection, ids: readonly string[]): Promise<(StoredPoint | undefined)[]> {
    if (ids.length === 0) return [];
    const values = await this.readOf<(Buffer | null)[]>(collection, (pipeline) =>
      pipeline.hmgetBuffer(this.keys.collection(collection.name, 'points'), ...ids),
    );
    return values.map((value, index) =>
      value ? decodePoint(ids[index] ?? '', value, collection.dimensions) : undefined,
    );
  }

  /**
   * All points, in pieces; one that is there from the beginning to the end is given at least once. `count`: about how many at
   * a time. @throws MillraceError COLLECTION_CHANGED.
   */
  async *scan(collection: Collection, count = 256): AsyncGenerator<StoredPoint[]> {
    const key = this.keys.collection(collection.name, 'points');
    let cursor = '0';
    do {
      const from = cursor;
      const [next, entries] = await this.readOf<[Buffer, Buffer[]]>(collection, (pipeline) =>
        pipeline.hscanBuffer(key, from, 'COUNT', count),
      );
      const points: StoredPoint[] = [];
      for (let index = 0; index + 1 < entries.length; index += 2) {
        points.push(decodePoint(String(entries[index]), entries[index + 1] as Buffer, collection.dimensions));
      }
      yield points;
      cursor = next.toString();
    } while (cursor !== '0');
  }

  /**
   * Entries of the change log after a moment, oldest first; undefined when the log does not lead on from there: it was trimmed,
   * or Redis has lost the writes of that moment and has others now. @throws MillraceError COLLECTION_CHANGED.
   */
  async changes(collection: Collection, after: Moment, count = 64): Promise<Change[] | undefined> {
    const entries = await this.readOf<[string, string[]][]>(collection, (pipeline) =>
      pipeline.xrange(this.keys.collection(collection.name, 'log'), `${after.version}-0`, '+', 'COUNT', count + 1),
    );
    const changes = entries.map(([id, fields]) => ({ ...momentOf(id), ids: fields.filter((_, at) => at % 2 === 1) }));
    const [first] = changes;
    if (after.version === 0) return first === undefined || first.version === 1 ? changes : undefined;
    return first?.version === after.version && first.mark === after.mark ? changes.slice(1) : undefined;
  }

  /** Reads something of a collection, and looks afterwards whether it was that collection. */
  private async readOf<T>(
    { name, generation }: Collection,
    read: (pipeline: ReturnType<Redis['pipeline']>) => unknown,
  ): Promise<T> {
    const pipeline = this.redis.pipeline();
    read(pipeline);
    pipeline.hget(this.keys.collection(name, 'meta'), 'generation');
    const [[failure, value], [failed, now]] = (await pipeline.exec()) as [[Error | null, T], [Error | null, unknown]];
    if (failure ?? failed) throw failure ?? failed;
    if (now !== generation) throw changed(name);
    return value;
  }

  /** In the order of the scripts. A key that is not looked at must be of the same node. */
  private keysOf({ name }: Collection, { fence }: WriteGuard): string[] {
    const [meta, points, log, tickets] = (['meta', 'points', 'log', 'tickets'] as const).map((part) =>
      this.keys.collection(name, part),
    ) as [string, string, string, string];
    return [meta, points, log, fence?.key ?? meta, tickets];
  }
}

function guardArgs({ generation }: Collection, { fence, document }: WriteGuard): string[] {
  return [generation, fence?.token ?? '', document?.id ?? '', document?.ticket ?? ''];
}

/** What the scripts that write say: a version, or why they have not written. */
export function versionOf([version = -1, known]: readonly number[], { name }: Collection, fingerprint: string): number {
  switch (version) {
    case -1:
      throw changed(name);
    case -2:
      throw new MillraceError('PROCESSOR_FAILED', 'The task was given to another worker: nothing more is written.');
    case -3:
      throw new MillraceError('COLLECTION_CHANGED', 'The document was taken over by another, for this took too long.');
    case -4: {
      const detail = `The vectors have fingerprint ${fingerprint}, those of collection ${name} have ${known}.`;
      throw new MillraceError('COLLECTION_MISMATCH', detail);
    }
    default:
      return version;
  }
}

function changed(name: string): MillraceError {
  return new MillraceError('COLLECTION_CHANGED', `Collection ${name} was dropped, or made anew, meanwhile.`);
}

function randomMark(): number {
  return randomInt(2 ** 32);
}

function momentOf(entryId: string): Moment {
  const [version = 0, mark = 0] = entryId.split('-').map(Number);
  return { version, mark };
}

function* piecesOf(points: readonly PointWrite[]): Generator<{ id: string; payload: Buffer }[]> {
  let piece: { id: string; payload: Buffer }[] = [];
  let bytes = 0;
  for (const point of points) {
    const payload = encodePoint(point);
    if (piece.length === piecePoints || (piece.length > 0 && bytes + payload.length > pieceBytes)) {
      yield piece;
      piece = [];
      bytes = 0;
    }
    piece.push({ id: point.id, payload });
    bytes += payload.length;
  }
  if (piece.length > 0) yield piece;
}

import { MillraceError } from '../errors.ts';
import type { Collection } from '../tasks/vector/collection.ts';
import type { Metadata } from '../tasks/vector/point.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

/** A point on its way into Redis. Under cosine its vector has length 1. */
export interface PointWrite {
  readonly id: string;
  readonly vector: Float32Array;
  readonly metadata: Metadata | null;
}

/** A point as Redis has it. */
export interface StoredPoint extends PointWrite {
  /** The version of the collection that wrote it. */
  readonly version: number;
}

/** A point to delete: whatever it is now, or only if it still has a version. */
interface PointDelete {
  readonly id: string;
  readonly version?: number;
}

/** Of one entry of the change log: a version, and the ids of the points that it wrote or deleted. */
export interface Change {
  readonly version: number;
  readonly ids: readonly string[];
}

/** What one call of Lua may hold Redis up with: 128 points of 384 numbers took 1 ms. */
const pieceBytes = 262_144;
const piecePoints = 128;
/** Entries of the change log: a replica that was away for longer reads all points anew. */
const logEntries = 20_000;

const writePoints = new Script('write-points');
const deletePoints = new Script('delete-points', { beyondLimit: true });
const beginDocument = new Script('begin-document');
const endDocument = new Script('end-document', { beyondLimit: true });

/**
 * The points of collections and their change logs. A write is cut into pieces, each atomic and a version of its own; to write
 * the same points again changes nothing but the version.
 */
export class Points {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /**
   * Writes points; the version of the last piece. `fingerprint`: of their model, '' when it is not known.
   * @throws MillraceError COLLECTION_CHANGED, COLLECTION_MISMATCH with both fingerprints.
   */
  async write(collection: Collection, points: readonly PointWrite[], fingerprint: string): Promise<number> {
    let version = 0;
    for (const piece of piecesOf(points)) {
      const args = piece.flatMap(({ id, payload }) => [id, payload]);
      const reply = await writePoints.run(this.redis, this.keysOf(collection, 'meta', 'points', 'log'), [
        collection.generation,
        fingerprint,
        logEntries,
        ...args,
      ]);
      version = this.versionOf(reply as number[], collection, fingerprint);
    }
    return version;
  }

  /**
   * Deletes points. `changed`: those that have another version than the one that was given.
   * @throws MillraceError COLLECTION_CHANGED.
   */
  async delete(
    collection: Collection,
    points: readonly PointDelete[],
  ): Promise<{ readonly version: number; readonly deleted: number; readonly changed: string[] }> {
    let version = 0;
    let deleted = 0;
    const changed: string[] = [];
    for (let start = 0; start < points.length; start += piecePoints) {
      const args = points.slice(start, start + piecePoints).flatMap(({ id, version: wanted = '' }) => [id, wanted]);
      const reply = (await deletePoints.run(this.redis, this.keysOf(collection, 'meta', 'points', 'log'), [
        collection.generation,
        logEntries,
        ...args,
      ])) as (number | string)[];
      version = this.versionOf(reply as number[], collection, '');
      deleted += Number(reply[1]);
      changed.push(...reply.slice(2).map(String));
    }
    return { version, deleted, changed };
  }

  /** Notes the chunks that a document will have, before any of them is written. @throws MillraceError COLLECTION_CHANGED. */
  async beginDocument(collection: Collection, id: string, chunkIds: readonly string[]): Promise<void> {
    const keys = this.keysOf(collection, 'meta', 'documents');
    const reply = await beginDocument.run(this.redis, keys, [collection.generation, id, ...chunkIds]);
    this.versionOf([Number(reply)], collection, '');
  }

  /** Deletes the chunks that a document has no more. @throws MillraceError COLLECTION_CHANGED. */
  async endDocument(
    collection: Collection,
    id: string,
    chunkIds: readonly string[],
  ): Promise<{ readonly version: number; readonly removed: number }> {
    const reply = (await endDocument.run(this.redis, this.keysOf(collection, 'meta', 'points', 'log', 'documents'), [
      collection.generation,
      logEntries,
      id,
      ...chunkIds,
    ])) as number[];
    return { version: this.versionOf(reply, collection, ''), removed: reply[1] ?? 0 };
  }

  /** Points by id, in order; undefined for those that are not there. */
  async read({ name, dimensions }: Collection, ids: readonly string[]): Promise<(StoredPoint | undefined)[]> {
    if (ids.length === 0) return [];
    const values = await this.redis.hmgetBuffer(this.keys.collection(name, 'points'), ...ids);
    return values.map((value, index) => (value ? decode(ids[index] ?? '', value, dimensions) : undefined));
  }

  /**
   * All points, in pieces; one that is there from the beginning to the end is given at least once. `count`: about how many at
   * a time.
   */
  async *scan({ name, dimensions }: Collection, count = 256): AsyncGenerator<StoredPoint[]> {
    let cursor = '0';
    do {
      const [next, entries] = await this.redis.hscanBuffer(
        this.keys.collection(name, 'points'),
        cursor,
        'COUNT',
        count,
      );
      const points: StoredPoint[] = [];
      for (let index = 0; index + 1 < entries.length; index += 2) {
        points.push(decode(String(entries[index]), entries[index + 1] as Buffer, dimensions));
      }
      yield points;
      cursor = next.toString();
    } while (cursor !== '0');
  }

  /** Entries of the change log after a version, oldest first; `trimmed` when some are not kept any more. */
  async changes(
    { name }: Collection,
    after: number,
    count = 64,
  ): Promise<{ readonly changes: Change[]; readonly trimmed: boolean }> {
    const entries = await this.redis.xrange(this.keys.collection(name, 'log'), `(${after}-0`, '+', 'COUNT', count);
    const changes = entries.map(([id, fields]) => ({
      version: Number(id.split('-')[0]),
      ids: fields.filter((_, index) => index % 2 === 1),
    }));
    const [first] = changes;
    return { changes, trimmed: first !== undefined && first.version !== after + 1 };
  }

  private keysOf({ name }: Collection, ...parts: Parameters<Keys['collection']>[1][]): string[] {
    return parts.map((part) => this.keys.collection(name, part));
  }

  private versionOf([version = -1, known]: readonly number[], { name }: Collection, fingerprint: string): number {
    if (version >= 0) return version;
    if (version === -1) {
      throw new MillraceError(
        'COLLECTION_CHANGED',
        `Collection ${name} was dropped, or made anew, while it was written.`,
      );
    }
    const detail = `The vectors have fingerprint ${fingerprint}, those of collection ${name} have ${known}.`;
    throw new MillraceError('COLLECTION_MISMATCH', detail);
  }
}

function* piecesOf(points: readonly PointWrite[]): Generator<{ id: string; payload: Buffer }[]> {
  let piece: { id: string; payload: Buffer }[] = [];
  let bytes = 0;
  for (const { id, vector, metadata } of points) {
    const numbers = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
    const payload = metadata === null ? numbers : Buffer.concat([numbers, Buffer.from(JSON.stringify(metadata))]);
    if (piece.length === piecePoints || (piece.length > 0 && bytes + payload.length > pieceBytes)) {
      yield piece;
      piece = [];
      bytes = 0;
    }
    piece.push({ id, payload });
    bytes += payload.length;
  }
  if (piece.length > 0) yield piece;
}

function decode(id: string, value: Buffer, dimensions: number): StoredPoint {
  const vectorEnd = 8 + 4 * dimensions;
  // A copy: float32 needs a multiple of four, and the reply of many points should not live as long as one of them.
  const vector = new Float32Array(value.buffer.slice(value.byteOffset + 8, value.byteOffset + vectorEnd));
  const metadata = value.length > vectorEnd ? (JSON.parse(value.toString('utf8', vectorEnd)) as Metadata) : null;
  return { id, version: value.readDoubleLE(0), vector, metadata };
}

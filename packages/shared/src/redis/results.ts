import type { ErrorCode, ItemFailure, Problem } from '../errors.ts';
import type { TaskRef } from '../tasks/ids.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';

/** What one attempt of a task did and where its time went; ms since 1970. */
export interface AttemptFacts {
  readonly worker: string;
  readonly attempt: number;
  readonly tags: readonly string[];
  readonly pulledAt: number;
  readonly firstCallAt: number | null;
  readonly lastCallEndedAt: number | null;
  readonly batch: { readonly id: string; readonly size: number } | null;
  readonly calls: number;
}

/** The outcome of one attempt: `output` without its vectors, which lie beside it as raw float32. */
export type StoredOutcome = AttemptFacts &
  (
    | { readonly status: 'succeeded'; readonly output: Record<string, unknown>; readonly vectorsField: string | null }
    | {
        readonly status: 'failed';
        readonly code: ErrorCode;
        readonly message: string;
        readonly problems: readonly Problem[];
        readonly items: readonly ItemFailure[];
      }
  );

/** Rows of little-endian float32, one after the other. */
export interface VectorBlock {
  readonly bytes: Buffer;
  readonly rows: number;
  readonly dimensions: number;
}

interface OutcomeWrite {
  readonly ref: TaskRef;
  readonly attempt: number;
  readonly outcome: StoredOutcome;
  readonly vectors: VectorBlock | undefined;
  readonly ttlMs: number;
}

/**
 * Outcomes of attempts, each under its own key `<prefix>:result:<family>:<id>:<attempt>` with a time to live: a hash of `meta`
 * (JSON) and, for vectors, `vectors` (float32, little-endian, row-major), `rows` and `dimensions`. An outcome becomes the
 * task's result only when BullMQ, which checks the lock, ends the job in that very attempt: readers follow the job's last
 * attempt, so what a worker without the lock writes is never read, and expires.
 */
export class ResultStore {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Writes an outcome and notes until when it is kept; both are on their way in one write. */
  async write({ ref, attempt, outcome, vectors, ttlMs }: OutcomeWrite): Promise<void> {
    const key = this.keys.result(ref, attempt);
    const fields: (string | Buffer | number)[] = ['meta', JSON.stringify({ v: 1, ...outcome })];
    if (vectors !== undefined) {
      fields.push('vectors', vectors.bytes, 'rows', vectors.rows, 'dimensions', vectors.dimensions);
    }
    const write = this.redis
      .multi()
      .hset(key, ...fields)
      .pexpire(key, ttlMs);
    const replies = await write.zadd(this.keys.ended(ref.family), Date.now() + ttlMs, ref.jobId).exec();
    for (const [error] of replies ?? []) if (error !== null) throw error;
  }

  /** The facts of an attempt, without the vectors; undefined when its time is over. */
  async readOutcome(ref: TaskRef, attempt: number): Promise<StoredOutcome | undefined> {
    const meta = await this.redis.hget(this.keys.result(ref, attempt), 'meta');
    return meta === null ? undefined : (JSON.parse(meta) as StoredOutcome);
  }

  /** The vectors of an attempt; undefined when it has none, or its time is over. */
  async readVectors(ref: TaskRef, attempt: number): Promise<VectorBlock | undefined> {
    const key = this.keys.result(ref, attempt);
    const [bytes, rows, dimensions] = await this.redis.hmgetBuffer(key, 'vectors', 'rows', 'dimensions');
    if (!bytes || !rows || !dimensions) return undefined;
    return { bytes, rows: Number(rows.toString()), dimensions: Number(dimensions.toString()) };
  }
}

/** Puts rows of one length into one block. */
export function packVectors(rows: readonly Float32Array[]): VectorBlock {
  const dimensions = rows[0]?.length ?? 0;
  const bytes = Buffer.allocUnsafe(rows.length * dimensions * 4);
  rows.forEach((row, index) => {
    bytes.set(new Uint8Array(row.buffer, row.byteOffset, row.byteLength), index * dimensions * 4);
  });
  return { bytes, rows: rows.length, dimensions };
}

/** The rows of a block, as views of one copy of its bytes. */
export function unpackVectors({ bytes, rows, dimensions }: VectorBlock): Float32Array[] {
  // A Buffer from the network starts anywhere; float32 needs a multiple of four, so the bytes are copied once.
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return Array.from({ length: rows }, (_, row) => numbers.subarray(row * dimensions, (row + 1) * dimensions));
}

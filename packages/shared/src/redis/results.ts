import type { ErrorCode, ItemFailure, Problem } from '../errors.ts';
import type { TaskRef } from '../tasks/ids.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

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

/** An outcome as it is read, with its vectors if it has any. */
export interface ReadOutcome {
  readonly outcome: StoredOutcome;
  readonly vectors: VectorBlock | undefined;
}

/** An outcome on its way. */
export interface OutcomeWrite {
  readonly ref: TaskRef;
  readonly attempt: number;
  readonly outcome: StoredOutcome;
  readonly vectors: VectorBlock | undefined;
  readonly ttlMs: number;
  /** The token of the job's lock; without one nobody looks at the lock. */
  readonly token: string | undefined;
  /** What the task owed, in bytes, when it ends with this attempt; undefined when it is tried again. */
  readonly ends: { readonly owed: number } | undefined;
}

const writeResult = new Script('write-result', { beyondLimit: true });

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

  /**
   * Writes an outcome, also while Redis is at its memory limit. With the last attempt of a task it also notes until when the
   * outcome is kept, and that the task owes nothing any more. False when the job is no longer this worker's: nothing was written.
   */
  async write({ ref, attempt, outcome, vectors, ttlMs, token, ends }: OutcomeWrite): Promise<boolean> {
    const { family, jobId } = ref;
    const keys = [this.keys.result(ref, attempt), this.keys.ended(family), this.keys.lock(ref), this.keys.owed];
    const fields: (string | Buffer | number)[] = ['meta', JSON.stringify({ v: 1, ...outcome })];
    if (vectors !== undefined) {
      fields.push('vectors', vectors.bytes, 'rows', vectors.rows, 'dimensions', vectors.dimensions);
    }
    const keptUntil = ends === undefined ? '' : Date.now() + ttlMs;
    const args = [jobId, token ?? '', ttlMs, keptUntil, family, ends?.owed ?? 0, ...fields];
    return (await writeResult.run(this.redis, keys, args)) === 1;
  }

  /** An attempt's facts and its vectors, if it has any, in one round trip; undefined when its time is over. */
  async read(ref: TaskRef, attempt: number): Promise<ReadOutcome | undefined> {
    return await this.readKey(this.keys.result(ref, attempt));
  }

  /** The same by the key that a job's return value names; undefined for a key that is no result of this mill. */
  async readKey(key: string): Promise<ReadOutcome | undefined> {
    if (!key.startsWith(`${this.keys.prefix}:result:`)) return undefined;
    const [meta, bytes, rows, dimensions] = await this.redis.hmgetBuffer(key, 'meta', 'vectors', 'rows', 'dimensions');
    if (!meta) return undefined;
    const vectors =
      bytes && rows && dimensions ? { bytes, rows: Number(rows), dimensions: Number(dimensions) } : undefined;
    return { outcome: JSON.parse(meta.toString()) as StoredOutcome, vectors };
  }

  /** Lets go of outcomes that nobody will read any more: the time of their tasks is over now (ms since 1970). */
  async forget(attempts: readonly { readonly ref: TaskRef; readonly attempt: number }[], now: number): Promise<void> {
    if (attempts.length === 0) return;
    const write = this.redis.pipeline();
    for (const { ref, attempt } of attempts) {
      write.unlink(this.keys.result(ref, attempt)).zadd(this.keys.ended(ref.family), 'XX', now, ref.jobId);
    }
    for (const [error] of (await write.exec()) ?? []) if (error !== null) throw error;
  }

  /** The facts of an attempt alone; undefined when its time is over. */
  async readOutcome(ref: TaskRef, attempt: number): Promise<StoredOutcome | undefined> {
    const meta = await this.redis.hget(this.keys.result(ref, attempt), 'meta');
    return meta === null ? undefined : (JSON.parse(meta) as StoredOutcome);
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

/** An output in two parts, as it is stored. */
export interface StoredOutput {
  readonly output: Record<string, unknown>;
  readonly vectorsField: string | null;
  readonly vectors: VectorBlock | undefined;
}

/** The output as its type describes it, vectors as rows of float32. */
export function assembleOutput({ output, vectorsField, vectors }: StoredOutput): Record<string, unknown> {
  if (vectorsField === null || vectors === undefined) return output;
  return { ...output, [vectorsField]: unpackVectors(vectors) };
}

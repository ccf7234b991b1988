import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { packVectors, ResultStore, type StoredOutcome } from '@millrace/shared/redis/results';
import { type Job, UnrecoverableError, Worker } from 'bullmq';

interface Options {
  readonly redisUrl: string;
  readonly prefix: string;
  /** Jobs wait here before they end. */
  readonly until?: (job: Job) => Promise<void>;
}

/**
 * A worker without a model: real BullMQ, real results. It gives each text the vector of `vectorOf`, fails a text `fail`, and
 * cleans a text by turning it to capitals.
 */
export function openStandInWorker({ redisUrl, prefix, until = async () => {} }: Options): { close(): Promise<void> } {
  const redis = connectRedis({ url: redisUrl, role: 'worker', name: 'stand-in', log: silentLogger() });
  const keys = createKeys(prefix);
  const store = new ResultStore(redis, keys);
  const connection = { url: redisUrl, maxRetriesPerRequest: null };
  const workers = (['inference', 'text'] as const).map(
    (family) =>
      new Worker(
        family,
        async (job) => {
          await until(job);
          const ref = { family, jobId: job.id ?? '' };
          const { texts } = job.data.input as { texts: string[] };
          if (texts.includes('fail')) throw new UnrecoverableError('PROCESSOR_FAILED: the wheel is stuck');
          const rows = family === 'inference' ? texts.map(vectorOf) : undefined;
          const output = rows === undefined ? { texts: texts.map((text) => text.toUpperCase()) } : facts(rows);
          const outcome: StoredOutcome = {
            ...attemptFacts(job, texts.length),
            status: 'succeeded',
            output,
            vectorsField: rows === undefined ? null : 'embeddings',
          };
          const vectors = rows === undefined ? undefined : packVectors(rows);
          const ttlMs = job.data.resultTtlMs ?? 60_000;
          await store.write({
            ref,
            attempt: job.attemptsStarted,
            outcome,
            vectors,
            ttlMs,
            token: undefined,
            ends: { owed: 0 },
          });
        },
        { connection, prefix, concurrency: 50 },
      ),
  );
  // BullMQ says what a closing connection met; nobody is left to hear it.
  for (const worker of workers) worker.on('error', () => {});
  return {
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close(true)));
      redis.disconnect();
    },
  };
}

export const dimensions = 384;

/** A vector that float32 cannot hold in few digits. */
export function vectorOf(text: string): Float32Array {
  return Float32Array.from({ length: dimensions }, (_, index) => Math.sin(text.length * 31 + index) / 7);
}

function facts(rows: readonly Float32Array[]): Record<string, unknown> {
  return {
    model: 'stand-in',
    fingerprint: 'none',
    dimensions,
    tokens: rows.map(() => 3),
    truncated: rows.map(() => false),
  };
}

function attemptFacts(job: Job, size: number) {
  const now = Date.now();
  return {
    worker: 'stand-in',
    attempt: job.attemptsMade + 1,
    tags: job.data.tags ?? [],
    pulledAt: now,
    firstCallAt: now,
    lastCallEndedAt: now,
    batch: { id: 'b', size },
    calls: 1,
  };
}

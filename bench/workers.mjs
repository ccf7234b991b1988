// node bench/workers.mjs [--texts N] [--rounds N] [--workers 1,2,4]
// Several workers on one machine beside one: they share its cores, so that together they are as fast as one.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Millrace } from '@millrace/client';
import { startServer } from '../scripts/redis/server.mjs';
import { watchStopRequests } from '../scripts/setup/stop-requests.mjs';
import { Closers } from './closers.mjs';
import { makeCorpus } from './corpus.mjs';
import { startSharingWorkers } from './mill.mjs';

const textsPerTask = 64;

/**
 * Texts a second of so many workers together, and the lanes that each has.
 *
 * @param {number} count
 * @param {{ texts: string[], redisUrl: string, folder: string, signal: AbortSignal }} run
 */
async function speedOf(count, { texts, redisUrl, folder, signal }) {
  const closers = new Closers();
  const prefix = `{bench-workers-${count}-${Date.now()}}`;
  try {
    const context = { cores: availableParallelism(), redisUrl, folder, closers, signal };
    await startSharingWorkers(context, prefix, count);
    const mill = new Millrace({ redisUrl, prefix });
    closers.add(() => mill.close());
    const inputs = Array.from({ length: texts.length / textsPerTask }, (_, task) => ({
      texts: texts.slice(task * textsPerTask, (task + 1) * textsPerTask),
    }));
    await (await mill.enqueue('inference.embed', { texts: texts.slice(0, textsPerTask) })).result();
    const begin = performance.now();
    for await (const outcome of mill.map('inference.embed', inputs)) if ('error' in outcome) throw outcome.error;
    return (texts.length / (performance.now() - begin)) * 1000;
  } finally {
    await closers.close();
  }
}

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function main() {
  const { values: options } = parseArgs({
    options: {
      texts: { type: 'string', default: '6400' },
      rounds: { type: 'string', default: '3' },
      workers: { type: 'string', default: '1,2,4' },
    },
  });
  const requests = watchStopRequests();
  const closers = new Closers();
  try {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
    closers.add(() => rmSync(folder, { recursive: true, force: true }));
    const redis = await startServer({
      binary: process.env['MILLRACE_TEST_REDIS_BINARY'] ?? 'redis-server',
      dir: join(folder, 'redis'),
      logFile: join(folder, 'redis.log'),
      detached: true,
      signal: requests.stop,
    });
    closers.add(() => redis.stop());
    const counts = options.workers.split(',').map(Number);
    const speeds = new Map(counts.map((count) => [count, /** @type {number[]} */ ([])]));
    for (let round = 0; round < Number(options.rounds); round += 1) {
      for (const count of counts) {
        const texts = makeCorpus({ count: Number(options.texts), edition: 1000 * round + count });
        const speed = await speedOf(count, { texts, redisUrl: redis.url, folder, signal: requests.stop });
        speeds.get(count)?.push(speed);
        process.stderr.write(`round ${round + 1}: ${count} workers, ${speed.toFixed(0)} texts/s\n`);
      }
    }
    const best = Math.max(...[...speeds.values()].map(median));
    console.table(
      [...speeds].map(([workers, all]) => ({
        workers,
        'texts/s': Math.round(median(all)),
        'of the best': (median(all) / best).toFixed(2),
      })),
    );
  } finally {
    await closers.close();
    requests.release();
  }
}

main().catch((/** @type {Error} */ error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});

// node bench/cli.mjs [--texts N] [--rounds N] [--format npy|jsonl|raw] [--no-requests] [--json]
// `millrace embed` on real sentences beside the model alone, in turns, in one run; and how long others wait for an answer meanwhile.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Millrace } from '@millrace/client';
import { startServer } from '../scripts/redis/server.mjs';
import { watchStopRequests } from '../scripts/setup/stop-requests.mjs';
import { openCeiling } from './ceiling.mjs';
import { callSeconds } from './cli-calls.mjs';
import { askNowAndThen } from './cli-requests.mjs';
import { Closers } from './closers.mjs';
import { startWorker } from './mill.mjs';

const millrace = fileURLToPath(new URL('../packages/client/bin/millrace.mjs', import.meta.url));
const sentences = fileURLToPath(new URL('../examples/data/sentences.txt', import.meta.url));
const prefix = '{bench-cli}';

/**
 * Real sentences, no two alike: beyond those of the file they come again with a number in front.
 *
 * @param {number} count
 * @param {number} edition so that no run meets a text of another
 */
function corpus(count, edition) {
  const lines = readFileSync(sentences, 'utf8').trimEnd().split('\n');
  return Array.from({ length: count }, (_, index) => {
    const time = Math.floor(index / lines.length) + edition * 100;
    return time === 0 ? (lines[index % lines.length] ?? '') : `${time}. ${lines[index % lines.length]}`;
  });
}

/**
 * @param {string[]} texts
 * @param {{ folder: string, redisUrl: string, format: string, closers: Closers }} run
 * @returns {Promise<{ wallMs: number, insideMs: number }>} with the start of the process and without
 */
async function embed(texts, { folder, redisUrl, format, closers }) {
  const input = join(folder, 'texts.txt');
  writeFileSync(input, `${texts.join('\n')}\n`);
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    [millrace, 'embed', input, '-o', join(folder, 'out'), '--format', format, '--json'],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'], REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  closers.add(() => void child.kill('SIGKILL'));
  let told = '';
  child.stdout.on('data', (piece) => {
    told += piece;
  });
  const [code] = await once(child, 'close');
  const wallMs = performance.now() - begin;
  if (code !== 0) throw new Error(`millrace embed ended with ${code}`);
  return { wallMs, insideMs: JSON.parse(told).seconds * 1000 };
}

/** @param {number[]} values @param {number} share */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** @param {number[]} values */
const median = (values) => quantile(values, 0.5);

/**
 * @param {{ count: number, rounds: number, format: string, withRequests: boolean }} options
 * @param {{ closers: Closers, signal: AbortSignal }} run
 */
async function bench({ count, rounds, format, withRequests }, { closers, signal }) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  closers.add(() => rmSync(folder, { recursive: true, force: true }));
  const redis = await startServer({
    binary: process.env['MILLRACE_TEST_REDIS_BINARY'] ?? 'redis-server',
    dir: join(folder, 'redis'),
    logFile: join(folder, 'redis.log'),
    detached: true,
    signal,
  });
  closers.add(() => redis.stop());
  const context = { cores: availableParallelism(), redisUrl: redis.url, folder, closers, signal };
  await startWorker(context, prefix);
  const client = new Millrace({ redisUrl: redis.url, prefix });
  closers.add(() => client.close());
  const ceiling = await openCeiling(context, corpus(Math.min(count, 1000), 0));
  await embed(corpus(Math.min(count, 500), 1), { ...context, format }); // nothing is cold then
  /** @type {{ ceiling: number[], wall: number[], inside: number[], toCeiling: number[], waits: number[] }} */
  const found = { ceiling: [], wall: [], inside: [], toCeiling: [], waits: [] };
  const callsBefore = await callSeconds(redis.url, prefix);
  let edition = 2;
  const speedOfCeiling = async () => {
    edition += 1;
    const { ms } = await ceiling.run(corpus(count, edition));
    found.ceiling.push((count / ms) * 1000);
    return (count / ms) * 1000;
  };
  let before = await speedOfCeiling();
  for (let round = 1; round <= rounds; round += 1) {
    edition += 1;
    const asking = withRequests ? askNowAndThen(client) : undefined;
    const { wallMs, insideMs } = await embed(corpus(count, edition), { ...context, format });
    found.waits.push(...((await asking?.stop()) ?? []));
    const after = await speedOfCeiling();
    found.wall.push((count / wallMs) * 1000);
    found.inside.push((count / insideMs) * 1000);
    found.toCeiling.push(((count / wallMs) * 1000) / ((before + after) / 2));
    before = after;
    const last = found.toCeiling.at(-1) ?? 0;
    process.stderr.write(
      `round ${round}: ${(found.wall.at(-1) ?? 0).toFixed(0)} texts/s, ${last.toFixed(3)} of ceiling\n`,
    );
  }
  const callsAfter = await callSeconds(redis.url, prefix);
  const callMs = ((callsAfter.sum - callsBefore.sum) / (callsAfter.count - callsBefore.count)) * 1000;
  const { waits } = found;
  return {
    texts: count,
    format,
    ceiling: median(found.ceiling),
    embed: median(found.wall),
    withoutStart: median(found.inside),
    ofCeiling: median(found.toCeiling),
    requests: waits.length,
    requestP50Ms: quantile(waits, 0.5),
    requestP95Ms: quantile(waits, 0.95),
    callMs,
    p95InCalls: quantile(waits, 0.95) / callMs,
  };
}

async function main() {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      texts: { type: 'string', default: '20000' },
      rounds: { type: 'string', default: '3' },
      format: { type: 'string', default: 'npy' },
      requests: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
    },
  });
  const requests = watchStopRequests();
  const closers = new Closers();
  try {
    const { texts, rounds, format } = values;
    const options = { count: Number(texts), rounds: Number(rounds), format, withRequests: values.requests };
    const result = await bench(options, { closers, signal: requests.stop });
    if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else console.table(result);
  } finally {
    await closers.close();
    requests.release();
  }
}

main().catch((/** @type {Error} */ error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});

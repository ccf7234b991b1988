import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { mixedTexts, ownPrefix } from '../setup/mill.ts';
import { startApi, startWorker, stopProcesses } from '../setup/processes.ts';
import { answersIn, createBatch, openAiOf, taskLine, untilEnded, uploadLines } from '../setup/run-files.ts';

const redisUrl = inject('redisUrl');
const FILES_DIR = mkdtempSync(path.join(tmpdir(), 'millrace-runs-'));
afterAll(async () => {
  await stopProcesses();
  rmSync(FILES_DIR, { recursive: true, force: true });
});

/** The most memory that a process ever had, in bytes. */
function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

describe.runIf(process.platform === 'linux')('An API that takes a file in, runs it, and gives a file out', () => {
  // 40 MB here; `npm run runs:soak` does it with 200.
  it('stays below 300 MB', async () => {
    const options = { redisUrl, prefix: ownPrefix(), env: { FILES_DIR } };
    const [api] = await Promise.all([startApi(options), startWorker({ ...options, env: { FAMILIES: 'text' } })]);
    const client = openAiOf(api.url);
    const text = mixedTexts(60).join(' ').slice(0, 20_000);
    const count = 2000;
    const lines = Array.from({ length: count }, (_, index) =>
      taskLine(`l-${index}`, { type: 'text.clean', input: { texts: [`${index} ${text}`], format: 'plain' } }),
    );
    const { id } = await createBatch(client, await uploadLines(client, lines), { endpoint: '/v1/tasks' });
    const batch = await untilEnded(client, id);
    expect(batch.request_counts).toEqual({ total: count, completed: count, failed: 0 });
    expect(await answersIn(client, batch.output_file_id)).toHaveLength(count);
    expect(peakBytes(api.pid)).toBeLessThan(300 * 2 ** 20);
  }, 180_000);
});

import { readFileSync } from 'node:fs';
import type { TaskView } from '@millrace/shared/tasks/task';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cosine, directModel, ownPrefix } from '../setup/mill.ts';
import { startApi, startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const file = new URL('../../examples/data/sentences.txt', import.meta.url);
const sentences = readFileSync(file, 'utf8').trim().split('\n').slice(0, 2000);
const mebibyte = 2 ** 20;

interface Finished extends TaskView {
  readonly result: { readonly embeddings: number[][] };
}

let url: string;
let api: TestProcess;
let worker: TestProcess;

beforeAll(async () => {
  const started = await startApi({ redisUrl, prefix });
  api = started;
  url = started.url;
  worker = await startWorker({ redisUrl, prefix });
});
afterAll(stopProcesses);

/** Sends every sentence as a task of its own, from 8 clients that each wait for their answer. */
async function sendAll(): Promise<Finished[]> {
  const tasks: Finished[] = new Array(sentences.length);
  const rest = sentences.entries();
  const client = async () => {
    for (const [index, text] of rest) {
      const response = await fetch(`${url}/v1/tasks?wait=60`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'inference.embed', input: { texts: [text] } }),
      });
      tasks[index] = (await response.json()) as Finished;
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return tasks;
}

/** The value of one sample of /metrics. */
async function sample(name: string, ...labels: string[]): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text
    .split('\n')
    .find((one) => one.startsWith(`${name}{`) && labels.every((label) => one.includes(label)));
  if (line === undefined) throw new Error(`no sample ${name}{${labels.join()}}`);
  return Number(line.slice(line.lastIndexOf(' ')));
}

function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

describe('2,000 sentences, each a task, sent by 8 HTTP clients at once', () => {
  let tasks: Finished[];
  beforeAll(async () => {
    tasks = await sendAll();
  }, 120_000);

  it('all succeed, and share batches without one having asked for it', async () => {
    expect(tasks.filter(({ state }) => state !== 'succeeded')).toEqual([]);
    expect(tasks.some(({ batch }) => (batch?.size ?? 0) > 1)).toBe(true);
    await expect
      .poll(() => sample('millrace_call_items_sum', 'inference.embed'), { timeout: 10_000 })
      .toBeGreaterThanOrEqual(sentences.length);
    const calls = await sample('millrace_call_items_count', 'inference.embed');
    expect(calls).toBeLessThan(sentences.length);
  });

  it('give each the vector of its own text', async () => {
    const embed = await directModel();
    for (let index = 0; index < sentences.length; index += 40) {
      const vector = tasks[index]?.result.embeddings[0] ?? [];
      expect(cosine(vector, await embed(sentences[index] ?? ''))).toBeGreaterThanOrEqual(0.99999);
    }
  });

  it("never block the worker's main thread for 100 ms", async () => {
    const blocked = 'millrace_event_loop_delay_seconds';
    const own = 'worker=';
    const within = await sample(`${blocked}_bucket`, own, 'le="0.1"');
    expect(await sample(`${blocked}_count`, own)).toBe(within);
  });

  it.runIf(process.platform === 'linux')('keep worker and API below 200 MB, a lane below 400 MB', async () => {
    const { workers } = (await (await fetch(`${url}/v1/workers`)).json()) as {
      workers: { lanes: { rssBytes: number }[] }[];
    };
    expect(residentBytes(worker.pid)).toBeLessThan(200 * mebibyte);
    expect(residentBytes(api.pid)).toBeLessThan(200 * mebibyte);
    const lanes = workers.flatMap((one) => one.lanes);
    expect(lanes.length).toBeGreaterThan(0);
    for (const { rssBytes } of lanes) expect(rssBytes).toBeLessThan(400 * mebibyte);
  });
});

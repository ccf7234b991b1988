import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { describeClient } from '../conformance/client.ts';
import { ownPrefix } from '../setup/mill.ts';
import { startApi, startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
let baseUrl: string;

beforeAll(async () => {
  const [api] = await Promise.all([
    startApi({ redisUrl, prefix }),
    startWorker({ redisUrl, prefix, env: { FAMILIES: 'text,inference', INFERENCE_LANES: '1' } }),
  ]);
  baseUrl = api.url;
});
afterAll(stopProcesses);

describeClient({ name: 'Redis', open: (options = {}) => new Millrace({ redisUrl, prefix, ...options }) });
describeClient({ name: 'HTTP', open: (options = {}) => new Millrace({ baseUrl, ...options }) });

describe('Both ways', () => {
  it('reach the same tasks, and give the same vectors to the bit', async () => {
    const byRedis = new Millrace({ redisUrl, prefix });
    const byHttp = new Millrace({ baseUrl: `${baseUrl}/` });
    const texts = ['The wheel turns as long as the water runs.', 'A queue that loses work is worse than none.'];
    const task = await byHttp.enqueue('inference.embed', { texts });
    expect(await byRedis.task(task.id, 'inference.embed').result()).toEqual(await task.result());
    expect(await byRedis.get(task.id)).toEqual(await byHttp.get(task.id));
    expect(await byRedis.taskTypes()).toEqual(await byHttp.taskTypes());
    await Promise.all([byRedis.close(), byHttp.close()]);
  });
});

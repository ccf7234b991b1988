import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { clip } from '../../apps/api/src/board/clip.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  await test.api.close();
});

interface BoardJob {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly priority: number;
  readonly externalUrl: { readonly href: string };
}
interface BoardQueue {
  readonly name: string;
  readonly readOnlyMode: boolean;
  readonly counts: Record<string, number>;
  readonly jobs: readonly BoardJob[];
}

async function boardOf(name: string): Promise<BoardQueue> {
  const response = await test.get(`/board/api/queues?activeQueue=${name}&status=latest&page=1&jobsPerPage=10`);
  expect(response.status).toBe(200);
  const { queues } = (await response.json()) as { queues: BoardQueue[] };
  const queue = queues.find((one) => one.name === name);
  if (queue === undefined) throw new Error(`the board has no queue ${name}`);
  return queue;
}

describe('The board', () => {
  it('is a page whose scripts its own policy allows', async () => {
    const page = await test.get('/board');
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).toContain('Millrace');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('upgrade-insecure-requests');
    const scripts = [...html.matchAll(/<script[^>]*src="([^"]+)"/g)].map(([, src]) => src ?? '');
    expect(scripts.length).toBeGreaterThan(0);
    for (const src of scripts) {
      const script = await fetch(new URL(src, `${test.url}/board/`));
      expect(script.status).toBe(200);
      expect(script.headers.get('content-type')).toMatch(/javascript/);
    }
  });

  it('shows the queues and their tasks, each leading to the task', async () => {
    const { id } = (await (await test.post('/v1/tasks', embedTask(['hello'], { priority: 'high' }))).json()) as {
      id: string;
    };
    const { readOnlyMode, counts, jobs } = await boardOf('inference');
    expect(readOnlyMode).toBe(true);
    expect(counts['prioritized']).toBe(1);
    expect(jobs).toMatchObject([
      { id, name: 'inference.embed', data: { v: 1, input: { texts: ['hello'] } }, priority: 10 },
    ]);
    expect(await (await test.get(jobs[0]?.externalUrl.href ?? '')).json()).toMatchObject({ id, priority: 10 });
  });

  it('cuts payloads short and does not even read the large ones', async () => {
    const clean = (texts: readonly string[]) => ({ type: 'text.clean', input: { texts, format: 'plain' } });
    const tasks = [clean(['x'.repeat(8_000_000)]), clean(Array(200).fill('y'.repeat(100)))];
    for (const task of tasks) expect((await test.post('/v1/tasks', task)).status).toBe(202);
    const { jobs } = await boardOf('text');
    expect(jobs).toHaveLength(2);
    for (const job of jobs) expect(JSON.stringify(job).length).toBeLessThan(6000);
    expect(jobs.map(({ data }) => JSON.stringify(data)).filter((data) => data.includes('bytes'))).toHaveLength(1);
    for (const { id } of jobs) {
      const one = await (await test.get(`/board/api/queues/text/${id}`)).json();
      expect(one).toMatchObject({
        job: { id, name: 'text.clean', timestamp: expect.any(Number) },
        status: 'prioritized',
      });
    }
  });

  it('changes nothing', async () => {
    const { jobs } = await boardOf('inference');
    const id = jobs[0]?.id ?? '';
    const attempts: [string, string][] = [
      ['PUT', '/board/api/queues/pause'],
      ['PUT', '/board/api/queues/inference/pause'],
      ['PUT', '/board/api/queues/inference/empty'],
      ['PUT', '/board/api/queues/inference/obliterate'],
      ['PUT', `/board/api/queues/inference/${id}/clean`],
      ['PUT', `/board/api/queues/inference/${id}/retry`],
      ['PATCH', `/board/api/queues/inference/${id}/update-data`],
      ['POST', '/board/api/queues/inference/add'],
    ];
    for (const [method, path] of attempts) {
      const init = {
        method,
        headers: { 'content-type': 'application/json' },
        body: '{"data":{},"name":"x","options":{}}',
      };
      const response = await fetch(test.url + path, init);
      expect([path, response.status]).toEqual([path, 404]);
      expect((await problemIn(response)).code).toBe('ROUTE_NOT_FOUND');
    }
    expect((await boardOf('inference')).counts['prioritized']).toBe(1);
    expect(await test.mill.queues.get('inference')?.isPaused()).toBe(false);
  });
});

describe('A payload on the board', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 'end' : { in: deep(levels - 1) });
  it.each([
    ['a long text', 'x'.repeat(1_000_000)],
    ['a long list', Array(1_000_000).fill(1)],
    ['a list of long texts', Array(1000).fill('y'.repeat(1000))],
    ['many fields', Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`field ${index}`, index]))],
    ['deep nesting', deep(1000)],
    ['a long name', { ['n'.repeat(1_000_000)]: 1 }],
  ])('is small, whatever it is: %s', (_name, value) => {
    expect(JSON.stringify(clip(value)).length).toBeLessThan(4096);
  });

  it('is itself when it is small', () => {
    const value = { v: 1, input: { texts: ['a', 'b'], normalize: true, model: null }, tags: [] };
    expect(clip(value)).toEqual(value);
  });
});

describe('With BOARD_HIDE_PAYLOADS', () => {
  it('the board shows tasks, and nothing that is in them', async () => {
    const hiding = await openTestApi(inject('redisUrl'), { BOARD_HIDE_PAYLOADS: 'true' });
    const queue = hiding.mill.queues.get('inference');
    const task = (await (await hiding.post('/v1/tasks', embedTask(['secret-canary'], { tags: ['t'] }))).json()) as {
      id: string;
    };
    const failing = await queue?.add('inference.embed', { v: 1, input: { texts: ['secret-canary'] } }, { priority: 1 });
    const taken = await queue?.getJob(String(failing?.id));
    await taken?.updateProgress({ text: 'secret-canary' });
    await hiding.mill.redis.hset(queue?.toKey(String(failing?.id)) ?? '', {
      failedReason: 'INVALID_INPUT: secret-canary is not right',
      stacktrace: JSON.stringify(['Error: secret-canary']),
      returnvalue: JSON.stringify({ texts: ['secret-canary'] }),
    });
    const paths = [
      '/board/api/queues?activeQueue=inference&status=latest&page=1&jobsPerPage=10',
      ...[task.id, failing?.id].flatMap((id) => [
        `/board/api/queues/inference/${id}`,
        `/board/api/queues/inference/${id}/logs`,
        `/board/api/queues/inference/${id}/flow`,
      ]),
      '/board/api/job-schedulers',
    ];
    for (const path of paths) {
      const response = await hiding.get(path);
      expect([path, (await response.text()).includes('secret-canary')]).toEqual([path, false]);
    }
    const shown = await (await hiding.get(`/board/api/queues/inference/${failing?.id}`)).json();
    expect(shown.job).toMatchObject({ name: 'inference.embed', data: '(hidden)', failedReason: 'INVALID_INPUT' });
    await hiding.api.close();
  });
});

import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isOwn } from '../../apps/api/src/auth/other-sites.ts';
import { openTestApi, problemIn, type TestApi } from './open-test-api.ts';

const redisUrl = inject('redisUrl');
let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(redisUrl);
});
afterAll(async () => {
  await test.api.close();
});

/** A request with the headers that only a browser sets. */
async function browserPost(path: string, headers: Record<string, string>): Promise<[status: number, code: unknown]> {
  return await new Promise((resolve, reject) => {
    const sent = request(test.url + path, { method: 'POST', headers }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve([response.statusCode ?? 0, JSON.parse(text).code]);
    });
    sent.on('error', reject).end();
  });
}

describe('The page', () => {
  it('runs only its own files, and turns no text into markup', async () => {
    const page = await test.get('/');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = page.headers.get('content-security-policy')?.split('; ') ?? [];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy.join()).not.toContain('unsafe');
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]*src="\/page\/)|\son\w+=|\sstyle=|(src|href)="(https?:)?\/\//);
  });

  it('has every file that it names, and asks whether it is still the same', async () => {
    const links = (text: string) => [...text.matchAll(/(?:src|href)="(\/page\/[^"]+)"|from '\.\/([^']+)'/g)];
    const seen = new Map<string, Response>();
    const visit = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      const response = await test.get(path);
      seen.set(path, response.clone());
      for (const [, whole, module] of links(await response.text())) await visit(whole ?? `/page/${module}`);
    };
    await visit('/');
    expect(seen.size).toBeGreaterThan(10);
    for (const [path, { status, headers }] of seen) {
      expect([path, status, headers.get('x-content-type-options')]).toEqual([path, 200, 'nosniff']);
      const again = await test.get(path, { 'if-none-match': headers.get('etag') ?? '' });
      expect([path, again.status]).toEqual([path, 304]);
    }
  });

  it.each(['/page/', '/page/../package.json', '/page/%2e%2e/package.json', '/page/none.js', '/page/page.css%00'])(
    'has no other file: %s',
    async (path) => {
      expect((await test.get(path)).status).toBe(404);
    },
  );

  it('and its figures are for admins, where there are keys', async () => {
    const hash = (key: string) => createHash('sha256').update(key).digest('hex');
    const locked = await openTestApi(redisUrl, {
      MILLRACE_API_KEYS: [
        { name: 'reader', scope: 'read', hash: hash('r') },
        { name: 'producer', scope: 'enqueue', hash: hash('e') },
        { name: 'boss', scope: 'admin', hash: hash('a') },
      ],
    });
    for (const path of ['/', '/page/main.js', '/page/page.css', '/v1/overview', '/v1/overview/events']) {
      const status = async (key: string) => {
        const response = await locked.get(path, { authorization: `Bearer ${key}` });
        await response.body?.cancel();
        return response.status;
      };
      expect([path, (await locked.get(path)).status, await status('r'), await status('e')]).toEqual([
        path,
        401,
        403,
        403,
      ]);
      expect([path, await status('a')]).toEqual([path, 200]);
    }
    const asked = await locked.get('/', { accept: 'text/html' });
    expect(asked.headers.get('www-authenticate')).toBe('Basic realm="Millrace", charset="UTF-8"');
    await locked.api.close();
  });
});

describe('The page of another site', () => {
  const pause = '/v1/queues/text/pause';
  const isPaused = async () => await test.mill.queues.get('text')?.isPaused();

  it.each([
    ['says so over https and on loopback', { 'sec-fetch-site': 'cross-site' }],
    ['may be of the same domain', { 'sec-fetch-site': 'same-site' }],
    ['is named by the origin', { origin: 'https://evil.example' }],
    ['may be another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['may hide its origin', { origin: 'null' }],
    ['cannot claim both', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'cross-site' }],
  ])('changes nothing: it %s', async (_name, headers) => {
    expect(await browserPost(pause, headers)).toEqual([403, 'OTHER_SITE']);
    expect(await browserPost('/v1/tasks/retry', { 'content-type': 'application/json', ...headers })).toEqual([
      403,
      'OTHER_SITE',
    ]);
    expect(await isPaused()).toBe(false);
  });

  it('may be read from, as far as browsers let it', async () => {
    expect((await test.get('/v1/queues', { origin: 'https://evil.example' })).status).toBe(200);
  });

  it('is not our own page, nor a program', async () => {
    const own = [
      { 'sec-fetch-site': 'same-origin', origin: test.url },
      { origin: test.url },
      { 'sec-fetch-site': 'none' },
      {},
    ];
    for (const headers of own) {
      expect((await browserPost(pause, headers as Record<string, string>))[0]).toBe(200);
      expect(await isPaused()).toBe(true);
      await browserPost('/v1/queues/text/resume', {});
    }
  });

  it('is told from ours by host and port', () => {
    expect(isOwn({ host: 'mill.example:3000', origin: 'http://mill.example:3000' })).toBe(true);
    expect(isOwn({ host: 'MILL.example', origin: 'https://mill.example' })).toBe(true);
    expect(isOwn({ host: 'mill.example', origin: 'https://mill.example.evil.example' })).toBe(false);
    expect(isOwn({ origin: 'https://mill.example' })).toBe(false);
    expect(isOwn({ host: 'mill.example', origin: 'no address' })).toBe(false);
  });

  it('gets problem details like everybody', async () => {
    const response = await test.post('/v1/tasks/retry', { family: 'text' }, { origin: 'https://evil.example' });
    const problem = await problemIn(response);
    expect([problem.status, problem.code]).toEqual([403, 'OTHER_SITE']);
  });
});

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { Queue, Worker } from 'bullmq';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { chromiumBinary, faintTexts, openBrowser, openPage, type WatchedPage } from '../setup/browser.ts';
import { createBatch, openAiOf, soon, uploadLines } from '../setup/run-files.ts';
import { beatOf } from './beat.ts';
import { embedTask, openTestApi, type TestApi } from './open-test-api.ts';
import { openStandInWorker } from './stand-in-worker.ts';

const redisUrl = inject('redisUrl');
const hostile = '<img src=x onerror="alert(1)">\u202e</script><b>';
const title =
  chromiumBinary() === undefined
    ? 'The page (SKIPPED: no Chromium on this machine; MILLRACE_CHROMIUM may name one)'
    : 'The page';

describe.skipIf(chromiumBinary() === undefined)(title, () => {
  let browser: Browser;
  let test: TestApi;
  let opened: WatchedPage[] = [];
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });
  beforeEach(async () => {
    test = await openTestApi(redisUrl);
  });
  afterEach(async () => {
    for (const { page } of opened) await page.context().close();
    opened = [];
    await test.api.close();
  });

  async function open(options: Parameters<typeof openPage>[1] = {}, url = test.url): Promise<WatchedPage> {
    const watched = await openPage(browser, { reducedMotion: 'reduce', ...options });
    opened.push(watched);
    await watched.page.goto(url);
    await watched.page.locator('body[data-loaded]').waitFor();
    return watched;
  }

  /** A figure at the head of the page. */
  const vital = (page: Page, name: string) => page.locator('.vital', { hasText: name }).locator('.value');
  const card = (page: Page, family: string) => page.getByRole('article', { name: family });

  async function failTasks(name: string, reason: string, count: number): Promise<void> {
    const connection = { url: redisUrl, maxRetriesPerRequest: null };
    const queue = new Queue('text', { connection, prefix: test.prefix });
    const fail = async () => {
      throw new Error(reason);
    };
    const worker = new Worker('text', fail, { connection, prefix: test.prefix });
    worker.on('error', () => {});
    const before = await queue.getFailedCount();
    for (let index = 0; index < count; index += 1) await queue.add(name, { v: 1, input: {} });
    await soon(async () => await queue.getFailedCount()).toBe(before + count);
    await worker.close();
    await queue.close();
  }

  /** Names as no friend would choose them, and enough of everything to fill all parts. */
  async function fill(): Promise<void> {
    const long = 'a-very-long-name-without-any-place-to-break-it-'.repeat(5);
    const lane = { pid: 2, calls: 0, restarts: 0, recycled: 0, rssBytes: 1e9, family: 'inference' } as const;
    const since = new Date().toISOString();
    const beat = (id: string, host: string) =>
      beatOf({
        ...{ id, host, held: 123_456, families: ['text', 'inference', 'vector'] },
        lanes: (['busy', 'idle', 'starting', 'dead'] as const).map((state) => ({ ...lane, state, id: state })),
        running: [
          { id: `i-${hostile}`, type: hostile, attempt: 3, since, batch: null },
          { id: 'i-2', type: long, attempt: 1, since, batch: null },
        ],
      });
    await test.mill.workers.beat(beat('w1', hostile), []);
    await test.mill.workers.beat(beat('w2', long), []);
    await test.send('PUT', '/v1/collections/a-collection', { dimensions: 2, metric: 'cosine' });
    const client = openAiOf(test.url);
    const line = JSON.stringify({ custom_id: '1', method: 'POST', url: '/v1/embeddings', body: { input: 'a' } });
    const file = await uploadLines(client, [line]);
    await createBatch(client, file, { metadata: { name: hostile } });
    await failTasks(hostile, `INTERNAL: ${hostile}`, 3);
    await test.post('/v1/tasks', embedTask(['a']));
  }

  it('loads without an error and shows figures that change as tasks come and end', async () => {
    const { page, complaints } = await open();
    await soon(() => page.locator('#connection').textContent()).toContain('Live');
    expect(await vital(page, 'Waiting').textContent()).toBe('0');
    for (let index = 0; index < 3; index += 1) await test.post('/v1/tasks', embedTask([`text ${index}`]));
    await soon(() => vital(page, 'Waiting').textContent()).toBe('3');
    expect(await page.title()).toBe('3 waiting · Millrace');
    const inference = card(page, 'inference');
    expect(await inference.locator('.counts div', { hasText: 'Queued' }).locator('dd').textContent()).toBe('3');
    const worker = openStandInWorker(test);
    await soon(() => vital(page, 'Waiting').textContent()).toBe('0');
    const succeeded = inference.locator('.counts div', { hasText: 'Succeeded' }).locator('dd');
    await soon(() => succeeded.textContent()).toBe('3');
    await worker.close();
    expect(complaints).toEqual([]);
  });

  it('pauses and resumes a family by keyboard, and the focus stays where it is', async () => {
    const { page, complaints } = await open();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the queues');
    await page.keyboard.press('Enter');
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
    const tabTo = async (name: RegExp) => {
      for (let steps = 0; steps < 60 && !name.test(await focused()); steps += 1) await page.keyboard.press('Tab');
      expect(await focused()).toMatch(name);
    };
    await tabTo(/^Pause text$/);
    await page.keyboard.press('Enter');
    await soon(focused).toBe('Resume text');
    expect(await test.mill.queues.get('text')?.isPaused()).toBe(true);
    await soon(() => card(page, 'text').locator('.state').textContent()).toBe('paused');
    await soon(() => page.locator('#attention').textContent()).toContain('text is paused');
    expect(await page.locator('#word').textContent()).toBe('text is paused. What runs goes on.');
    await page.keyboard.press('Enter');
    await soon(focused).toBe('Pause text');
    expect(await test.mill.queues.get('text')?.isPaused()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('says why a task failed and tries a group again, by keyboard', async () => {
    await failTasks('text.clean', 'INTERNAL: the wheel is stuck', 2);
    await failTasks('text.chunk', 'TASK_TIMEOUT: too long', 3);
    const { page, complaints } = await open();
    const row = page.getByRole('row', { name: 'INTERNAL' });
    await row.getByRole('link', { name: 'Why?' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await soon(() => dialog.textContent()).toContain('the wheel is stuck');
    await page.keyboard.press('Escape');
    await soon(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Why?');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await soon(() => page.locator('#word').textContent()).toBe('2 tasks wait again.');
    await soon(() => row.count()).toBe(0);
    expect(await page.getByRole('row', { name: 'TASK_TIMEOUT' }).count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  it('asks before it cancels a run', async () => {
    const client = openAiOf(test.url);
    const line = JSON.stringify({ custom_id: '1', method: 'POST', url: '/v1/embeddings', body: { input: 'a' } });
    await createBatch(client, await uploadLines(client, [line]), { metadata: { name: 'spring' } });
    const { page, complaints } = await open();
    const cancel = page.getByRole('button', { name: 'Cancel the run spring' });
    await cancel.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Let it go on' }).click();
    await soon(() => page.locator('#word').textContent()).toBe('The run goes on.');
    await cancel.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click();
    await soon(async () => (await test.api.app.inject('/v1/batches')).json().data[0].status).toMatch(/^cancel/);
    await soon(() => page.getByRole('row', { name: 'spring' }).locator('.state').textContent()).toMatch(/cancel/);
    expect(complaints).toEqual([]);
  });

  it('shows names that others chose as text, whatever they are', async () => {
    await fill();
    const { page, complaints } = await open();
    await soon(() => page.locator('#failures').textContent()).toContain(hostile);
    for (const id of ['workers', 'runs', 'failures'])
      expect(await page.locator(`#${id}`).textContent()).toContain(hostile);
    expect(await page.locator('main img, main b, main script').count()).toBe(0);
    await page.locator('#workers a.task').first().click();
    await soon(() => page.getByRole('dialog').textContent()).toContain('cannot be said');
    // The browser notes that the task which that worker made up is not found; there is nothing else to note.
    expect(complaints.filter((line) => !line.includes('404'))).toEqual([]);
  });

  it.each(['dark', 'light'] as const)(
    'is readable in %s, on a desktop and at 360 px without a sideways scroll',
    async (colorScheme) => {
      await fill();
      const grounds: string[] = [];
      for (const [width, height] of [
        [1320, 900],
        [800, 900],
        [360, 740],
      ] as const) {
        const { page, complaints } = await open({ viewport: { width, height }, colorScheme });
        await soon(() => page.locator('#failures').textContent()).toContain('INTERNAL');
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
        expect(await faintTexts(page)).toEqual([]);
        grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
        expect((await page.screenshot({ fullPage: true })).byteLength).toBeGreaterThan(10_000);
        expect(complaints).toEqual([]);
      }
      const [first = ''] = grounds;
      const [red = 0] = (first.match(/\d+/g) ?? []).map(Number);
      expect(colorScheme === 'dark' ? red < 64 : red > 192).toBe(true);
    },
  );

  it('says what to do where nothing is yet, in commands that work as they stand', async () => {
    const worker = openStandInWorker(test);
    const { page } = await open();
    const run = promisify(execFile);
    const commandIn = async (place: string) => await page.locator(`${place} pre`).first().textContent();
    const answers: Record<string, unknown>[] = [];
    for (const place of ['#first-steps', '#runs', '#collections']) {
      const command = (await commandIn(place)) ?? '';
      expect(command).toContain('curl');
      const { stdout } = await run('bash', ['-c', command]);
      answers.push(JSON.parse(stdout));
    }
    expect(answers).toMatchObject([{ state: 'succeeded' }, { object: 'batch' }, { name: 'notes', points: 0 }]);
    await soon(() => page.locator('#first-steps').isHidden()).toBe(true);
    await soon(() => page.getByRole('row', { name: 'notes' }).count()).toBe(1);
    await worker.close();
  });

  it('says that the connection is lost, how old its figures are, and comes back by itself', async () => {
    const PORT = await freePort();
    const first = await openTestApi(redisUrl, { PORT });
    const { page } = await open({}, first.url);
    const { url, prefix } = first;
    await first.api.close();
    await soon(() => page.locator('#connection').textContent()).toContain('Connection lost');
    await soon(() => page.locator('#age').textContent()).toMatch(/figures are .* old/);
    expect(await vital(page, 'Waiting').textContent()).toBe('0');
    const second = await openTestApi(redisUrl, { MILLRACE_PREFIX: prefix, PORT });
    expect(second.url).toBe(url);
    await second.post('/v1/tasks', embedTask(['a']));
    await soon(() => vital(page, 'Waiting').textContent()).toBe('1');
    expect(await page.locator('#connection').textContent()).toContain('Live');
    await soon(() => page.locator('#age').textContent()).toBe('');
    await page.context().close();
    await second.api.close();
  });

  it('asks for a key where the API has keys, and works with it', async () => {
    const hash = createHash('sha256').update('a-key').digest('hex');
    const locked = await openTestApi(redisUrl, { MILLRACE_API_KEYS: [{ name: 'boss', scope: 'admin', hash }] });
    const refused = await openPage(browser);
    opened.push(refused);
    // Without anybody to ask, a browser gives up where it would ask for the key.
    await expect(refused.page.goto(locked.url)).rejects.toThrow('ERR_INVALID_AUTH_CREDENTIALS');
    const httpCredentials = { username: 'anybody', password: 'a-key' };
    const { page, complaints } = await open({ httpCredentials }, locked.url);
    await card(page, 'vector').getByRole('button').click();
    await soon(() => card(page, 'vector').locator('.state').textContent()).toBe('paused');
    expect(await locked.mill.queues.get('vector')?.isPaused()).toBe(true);
    expect(await page.locator('#first-steps pre').textContent()).toContain('authorization: Bearer $MILLRACE_KEY');
    // The browser notes the first 401, after which it is asked for the key.
    expect(complaints.filter((line) => !line.includes('401'))).toEqual([]);
    await page.context().close();
    await locked.api.close();
  });
});

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startApi, startWorker, stopProcesses } from './setup/processes.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const redisUrl = inject('redisUrl');
// The README speaks of the defaults, so the test has them too; no other test uses this prefix.
const prefix = '{millrace}';
let url: string;

beforeAll(async () => {
  const [api] = await Promise.all([startApi({ redisUrl, prefix }), startWorker({ redisUrl, prefix })]);
  url = api.url;
});
afterAll(stopProcesses);

/** The code blocks of a language, with the addresses of this test in place of those of `npm start`. */
function blocks(language: string): string[] {
  const found = readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'));
  return [...found].map(([, code = '']) =>
    code.replaceAll('http://127.0.0.1:3000', url).replaceAll('redis://127.0.0.1:6379', redisUrl),
  );
}

function blockWith(language: string, text: string): string {
  const block = blocks(language).find((code) => code.includes(text));
  if (block === undefined) throw new Error(`README.md has no ${language} block with ${text}`);
  return block;
}

describe('What the README says', () => {
  it('to send with curl gives a vector, and the same as raw float32', async () => {
    const { stdout } = await run('bash', ['-ec', blockWith('sh', '/v1/tasks?wait=10')]);
    const task = JSON.parse(stdout);
    expect(task).toMatchObject({ state: 'succeeded', result: { dimensions: 384 } });
    const fetchRaw = blockWith('sh', 'application/octet-stream').replace('> vectors.f32', '| wc -c');
    const { stdout: bytes } = await run('bash', ['-ec', fetchRaw], { env: { ...process.env, ID: task.id } });
    expect(Number(bytes)).toBe(384 * 4);
  });

  it('to write in Node runs', async () => {
    const code = `${blockWith('js', '@millrace/client')}\nconsole.log(vectors.length, vectors[0].length, texts);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: root });
    expect(stdout).toContain("2 384 [ 'Hi there' ]");
  });

  it('about pages and files is true', async () => {
    for (const page of ['/docs', '/board', '/metrics']) expect((await fetch(`${url}${page}`)).status, page).toBe(200);
    const links = [...readme.matchAll(/\]\((?!http)([^)#]+)\)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(5);
    for (const path of links) expect(() => readFileSync(new URL(`../${path}`, import.meta.url)), path).not.toThrow();
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { faultOf } from '../fuzz/judge.mjs';
import { faultOfRaw } from '../fuzz/raw.mjs';
import { testRedisBinary } from './setup/private-redis.ts';

const main = fileURLToPath(new URL('../fuzz/main.mjs', import.meta.url));

async function fuzz(requests: number, seed: number): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [main, '--requests', String(requests), '--seed', String(seed)], {
    env: { ...process.env, MILLRACE_TEST_REDIS_BINARY: await testRedisBinary() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      output += text.toString();
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

describe('Requests and jobs that nobody would send', () => {
  it('bring no 5xx, no answer that is not in the document, and no death', { timeout: 180_000 }, async () => {
    const { code, output } = await fuzz(1500, 5);
    expect(output).toMatch(/^fuzz seed 5: 1500 requests, 60 connections of raw bytes, \d+ jobs in /m);
    expect(output).toContain('0 kinds of faults, 0 deaths');
    expect(code, output).toBe(0);
  });
});

describe('The judge of the fuzz', () => {
  const operation = {
    method: 'GET',
    path: '/',
    isOpenAi: false,
    parameters: [],
    bodies: [],
    responses: { 200: { content: { 'application/json': {} } }, 404: {}, 503: {} },
  };
  const problem = (status: number, code: string, more = '') => ({
    status,
    headers: { 'x-request-id': 'a', 'content-type': 'application/problem+json' },
    text: JSON.stringify({ code, detail: more }),
    ms: 1,
    broken: undefined,
  });

  it('lets pass what is promised', () => {
    expect(faultOf(problem(404, 'TASK_NOT_FOUND'), { method: 'GET', operation })).toBeUndefined();
    expect(faultOf(problem(503, 'NO_WORKER'), { method: 'GET', operation })).toBeUndefined();
  });

  it.each([
    ['a status that is not declared', problem(409, 'TASK_ENDED')],
    ['Redis that is said to be away', problem(503, 'REDIS_UNAVAILABLE')],
    ['a code that is none', problem(404, 'NOT_OURS')],
    ['a stack', problem(404, 'TASK_NOT_FOUND', 'at x (/app/dist/a.js:1:2)')],
    ['no answer', { ...problem(404, 'TASK_NOT_FOUND'), broken: 'socket hang up' }],
    [
      'a success of another kind',
      { ...problem(200, ''), headers: { 'x-request-id': 'a', 'content-type': 'text/html' } },
    ],
  ])('holds against the API %s', (_name, answer) => {
    expect(faultOf(answer, { method: 'GET', operation })).toBeDefined();
  });

  it('holds 5xx and other protocols against it when bytes were no request', () => {
    expect(faultOfRaw('')).toBeUndefined();
    expect(faultOfRaw('HTTP/1.1 400 Bad Request\r\n\r\n')).toBeUndefined();
    expect(faultOfRaw('HTTP/1.1 500 Internal Server Error\r\n\r\n')).toBeDefined();
    expect(faultOfRaw('HTTP/1.1 101 Switching Protocols\r\n\r\n')).toBeDefined();
  });
});

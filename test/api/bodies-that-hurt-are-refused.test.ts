import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { guardBodies } from '../../apps/api/src/plugins/body-guards.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  expect(await test.mill.queues.get('inference')?.getJobCountByTypes()).toBe(0);
  await test.api.close();
});

describe('A packed body', () => {
  it.each(['gzip', 'deflate', 'br', 'identity, gzip', 'GZIP'])(
    'is not unpacked, however it is packed: %s',
    async (encoding) => {
      const bomb = gzipSync(JSON.stringify(embedTask(['x'.repeat(50_000_000)])));
      for (const path of ['/v1/tasks', '/v1/tasks/bulk']) {
        const response = await fetch(test.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-encoding': encoding },
          body: new Uint8Array(bomb),
        });
        expect(response.status).toBe(415);
        expect(await problemIn(response)).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
      }
    },
  );
});

describe('What is no request', () => {
  it.each([
    [
      'two lengths',
      'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
      400,
      'INVALID_HTTP',
    ],
    [
      'a length and pieces',
      'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/queues HTTP/1.1\r\nHost: localhost\r\n\r\n',
      400,
      'INVALID_HTTP',
    ],
    ['no HTTP at all', '*1\r\n$4\r\nPING\r\n', 400, 'INVALID_HTTP'],
    [
      'headers without end',
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(50_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
  ])('is answered once, and the connection is over: %s', async (_name, bytes, status, code) => {
    const answer = await exchange(bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toContain('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, code });
  });
});

describe('On a connection that has been used', () => {
  it('what is no request is answered, too', async () => {
    const good = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const answer = await exchange(
      `${good}${good}GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(50_000)}\r\n\r\n`,
    );
    expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status).at(-1)).toBe('431');
  });
});

describe('A body that stands still', () => {
  it('loses its connection, and one that goes on does not', async () => {
    const app = Fastify();
    // Far less than what the API allows, and the same code.
    guardBodies(app as never, { idleMs: 300 });
    app.post('/', async () => 'taken');
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const head =
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n';
    const still = connect(port, '127.0.0.1');
    still.write(`${head}{`);
    const [hadError] = await once(still.resume(), 'close');
    expect([hadError, still.bytesRead]).toEqual([false, 0]);
    const going = connect(port, '127.0.0.1');
    let answer = '';
    going.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    going.end(`${head}{  }`);
    await once(going, 'close');
    expect(answer).toMatch(/ 200 /);
    await app.close();
  });

  it('and headers that never end have a limit, too', () => {
    const { headersTimeout, requestTimeout } = test.api.app.server;
    expect(headersTimeout).toBe(20_000);
    expect(requestTimeout).toBe(600_000);
  });
});

async function exchange(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(test.url).port), '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  socket.on('error', () => {}); // it hangs up while more is being sent
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

import { stolen } from './judge.mjs';

/** What no HTTP client would send; `%` stands for the key. Each ends the connection, so that an answer without a length ends, too. */
const raw = [
  'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/queues HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}a',
  'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n',
  'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2;x=\n\r\n{}\r\n0\r\n\r\n',
  'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
  'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"type":',
  'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\nb: c\r\n\r\n',
  'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\n\r\n',
  'GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n',
  'GET /healthz HTTP/1.1\r\n\r\n',
  'GET /healthz HTTP/1.0\r\n\r\n',
  'GET /healthz\r\n\r\n',
  'GET http://evil.example/v1/queues HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'GET //evil.example/%2e%2e HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'GET /docs/static/..%2f..%2fpackage.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'GET /board/static/../../../package.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'GET /page/..%5c..%5cpackage.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'GET /v1/tasks/%zz HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'GET /v1/tasks/%c0%ae HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'GET /v1/tasks?a=%ff&%&=&&[]=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'GET * HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %\r\n\r\n',
  'CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /healthz HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'GET /healthz HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n',
  `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
  `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${'A: b\r\n'.repeat(3000)}\r\n`,
  'GET /\u0000 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  '\r\n\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001',
  '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n',
];

/**
 * Bytes that are no right request.
 *
 * @param {import('../chaos/random.mjs').Random} random
 * @param {string} key
 */
export function rawBytes(random, key) {
  const bytes = Buffer.from(random.pick(raw).replace('%\r', `${key}\r`), 'latin1');
  // Every third is damaged as well.
  for (let count = random.pick([0, 0, 1]); count > 0; count -= 1)
    bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
  return bytes;
}

/** What may come back: nothing, or answers below 500. @param {string} text @returns {string | undefined} */
export function faultOfRaw(text) {
  if (text === '') return undefined;
  if (stolen.test(text)) return 'a file of the machine';
  const statuses = [...text.matchAll(/(?:^|\r\n|[}\n])HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  if (statuses.length === 0) return `no HTTP: ${JSON.stringify(text.slice(0, 200))}`;
  // 101: no protocol may be changed to.
  const wrong = statuses.find((status) => status >= 500 || status === 101);
  return wrong === undefined ? undefined : `${wrong}: ${text.slice(0, 300)}`;
}

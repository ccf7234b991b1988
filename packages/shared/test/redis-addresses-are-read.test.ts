import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/env.ts';
import { fullRedisUrl } from '../src/redis/redis-tls.ts';
import { maskRedisUrl, parseRedisUrl } from '../src/redis/redis-url.ts';

const plain = {
  username: undefined,
  password: undefined,
  db: 0,
  tls: undefined,
  family: undefined,
  sentinel: undefined,
};
const secure = { ca: undefined, cert: undefined, key: undefined, servername: undefined };

describe('An address of Redis', () => {
  it.each([
    ['redis://127.0.0.1', { kind: 'single', hosts: [{ host: '127.0.0.1', port: 6379 }] }],
    ['redis://[::1]:7000/3', { kind: 'single', hosts: [{ host: '::1', port: 7000 }], db: 3 }],
    ['redis://:p%40ss@h', { kind: 'single', hosts: [{ host: 'h', port: 6379 }], password: 'p@ss' }],
    ['rediss://u:a:b/c@h:1', { hosts: [{ host: 'h', port: 1 }], username: 'u', password: 'a:b/c', tls: secure }],
    ['redis://h?db=2&family=6', { db: 2, family: 6 }],
    [
      'redis+sentinel://u:p@a,b:26380/mill?db=4&sentinelUser=s&sentinelPassword=x%2By',
      {
        kind: 'sentinel',
        hosts: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_380 },
        ],
        ...{ username: 'u', password: 'p', db: 4 },
        sentinel: { master: 'mill', username: 's', password: 'x+y' },
      },
    ],
    [
      'rediss+cluster://a:1,b:2?tlsCa=/ca.pem',
      {
        kind: 'cluster',
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
        tls: { ...secure, ca: '/ca.pem' },
      },
    ],
  ])('%s is read', (url, expected) => {
    expect(parseRedisUrl(url)).toEqual({ ...plain, kind: 'single', ...expected, hosts: expect.anything() });
    if ('hosts' in expected) expect(parseRedisUrl(url).hosts).toEqual(expected.hosts);
  });

  it.each([
    ['localhost:6379', /a URL such as redis:/],
    ['http://u:secret@h', /a URL such as redis:/],
    ['redis://u:secret@a,b', /one host, or redis\+sentinel/],
    ['redis+sentinel://u:secret@a,b', /name of the master/],
    ['redis+cluster://:secret@a?db=1', /no parameter db/],
    ['redis+sentinel://a/m?db=x&sentinelPassword=secret', /number of a database/],
    ['redis://:secret@h:99999', /port of 1 to 65535/],
    ['redis://:secret@h?password=secret', /no parameter password/],
    ['redis://:secret@h?tlsCa=/x', /rediss:/],
    ['rediss://:secret@h?tlsCert=/x', /both a certificate and its key/],
  ])('%s is refused with what to write, and without its password', (url, reason) => {
    expect(() => parseRedisUrl(url)).toThrow(reason);
    expect(() => parseRedisUrl(url)).toThrow(/^The address of Redis is "(?!.*secret)/);
    expect(() => readSettings(['REDIS_URL'], { REDIS_URL: url })).toThrow(/^REDIS_URL is "(?!.*secret)/);
  });

  it('is shown without passwords, whatever it looks like', () => {
    expect(maskRedisUrl('redis://u:secret@h:1/0')).toBe('redis://u:***@h:1/0');
    expect(maskRedisUrl('u:sec@ret@h:1')).toBe('u:***@h:1');
    expect(maskRedisUrl('redis+sentinel://h/m?sentinelPassword=secret&db=1')).toBe(
      'redis+sentinel://h/m?sentinelPassword=***&db=1',
    );
  });

  it('takes the settings of TLS along, and its own parameters before them', () => {
    const given = {
      REDIS_TLS_CA: '/a',
      REDIS_TLS_CERT: undefined,
      REDIS_TLS_KEY: undefined,
      REDIS_TLS_SERVERNAME: 'n',
    };
    expect(fullRedisUrl({ REDIS_URL: 'rediss://h:1/2?tlsCa=/b', ...given })).toBe(
      'rediss://h:1/2?tlsCa=%2Fb&tlsServername=n',
    );
    expect(() => fullRedisUrl({ REDIS_URL: 'redis://h', ...given })).toThrow(/rediss:/);
  });
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { askRedis } from '../scripts/redis/ask.mjs';
import { startTimeOf } from '../scripts/setup/process-identity.mjs';
import { startRedis } from './setup/private-redis.ts';
import { allEnded, type StandInStart, standInPlace } from './setup/stand-in-start.ts';

let place: Awaited<ReturnType<typeof standInPlace>>;
const running: StandInStart[] = [];

function start(env?: Record<string, string>): StandInStart {
  const started = place.start(env);
  running.push(started);
  return started;
}

beforeEach(async () => {
  place = await standInPlace();
});
afterEach(async () => {
  for (const started of running.splice(0)) {
    started.kill('SIGTERM');
    await started.ended;
  }
  place.remove(); // with the Redis that a failed test may have left
});

it('prints what a person needs, and SIGTERM ends all of it in reverse order', async () => {
  const started = start();
  await started.printed('Ctrl-C stops');
  const output = started.output();
  for (const path of ['', '/docs', '/board', '/metrics']) expect(output).toContain(`${place.address}${path}\n`);
  expect(output).toMatch(/redis:\/\/127\.0\.0\.1:\d+ \(private\)/);
  expect(output).toContain(place.home);
  expect(output).toContain('a word for a person'); // not JSON: shown, and in no file
  expect(place.log('api')).not.toContain('a word for a person');
  const pids = place.pids();
  started.kill('SIGTERM');
  expect(await started.ended).toEqual({ code: 0, signal: null });
  expect(started.output()).toMatch(/Stopping the worker.*Stopping the API.*Stopping Redis.*Stopped\./s);
  await allEnded(pids);
});

it.each(['SIGINT', 'SIGHUP'] as const)('%s ends it too', async (signal) => {
  const started = start();
  await started.printed('Ctrl-C stops');
  const pids = place.pids();
  started.kill(signal);
  expect(await started.ended).toEqual({ code: 0, signal: null });
  await allEnded(pids);
});

it('refuses a second start on the same data folder, with the address of the first', async () => {
  const first = start();
  await first.printed('Ctrl-C stops');
  const second = start();
  expect((await second.ended).code).toBe(1);
  expect(second.output()).toMatch(/^Millrace already runs with this data folder at http:\/\/127\.0\.0\.1:\d+ .*\n$/);
  expect(second.output()).toContain(place.address);
});

it('after kill -9 leaves only Redis, which the next start adopts with its data', async () => {
  const first = start();
  await first.printed('Ctrl-C stops');
  const redisPid = place.redisPid();
  const url = /redis:\/\/127\.0\.0\.1:\d+/.exec(first.output())?.[0] ?? '';
  await askRedis(url, [['SET', 'accepted', 'task']]);
  first.kill('SIGKILL');
  await first.ended;
  await allEnded(place.appPids());
  expect(startTimeOf(redisPid)).toBeDefined();

  const second = start();
  await second.printed('Ctrl-C stops');
  expect(second.output()).toContain(`Found the private Redis still running at ${url}`);
  expect(place.redisPid()).toBe(redisPid);
  expect(await askRedis(url, [['GET', 'accepted']])).toEqual(['task']);
  second.kill('SIGTERM');
  await second.ended;
  await allEnded([redisPid]);
});

it('says which part ended and why, ends the others and exits 1', async () => {
  const started = start();
  await started.printed('Ctrl-C stops');
  const pids = place.pids();
  await fetch(`${place.address}/crash`).catch(() => {});
  expect((await started.ended).code).toBe(1);
  expect(started.output()).toMatch(
    /The API ended unexpectedly \(exit code 3\); from its log .*\n {4}the API met its end\n/,
  );
  await allEnded(pids);
});

it('says so when its Redis is gone', async () => {
  const started = start();
  await started.printed('Ctrl-C stops');
  const pids = place.pids();
  process.kill(place.redisPid(), 'SIGKILL');
  expect((await started.ended).code).toBe(1);
  expect(started.output()).toMatch(/Redis \(process \d+\) ended unexpectedly/);
  await allEnded(pids);
});

it('a second request does not wait for a worker that will not end, and still lets Redis write', async () => {
  const started = start({ STAND_IN_STUBBORN: '1' });
  await started.printed('Ctrl-C stops');
  const pids = place.pids();
  started.kill('SIGINT');
  await started.printed('Stopping the worker');
  const asking = setInterval(() => started.kill('SIGINT'), 100);
  expect((await started.ended).code).toBe(1);
  clearInterval(asking);
  await allEnded(pids);
  await vi.waitUntil(() => place.log('redis').includes('Calling fsync() on the AOF file'));
});

it('uses the Redis that REDIS_URL names and leaves it running', async () => {
  const redis = await startRedis();
  const started = start({ REDIS_URL: redis.url });
  await started.printed('Ctrl-C stops');
  expect(place.log('api')).toContain(redis.url);
  started.kill('SIGTERM');
  expect((await started.ended).code).toBe(0);
  expect(await askRedis(redis.url, [['PING']])).toEqual(['PONG']);
  await redis.stop();
});

it('refuses a Redis that evicts, before it starts anything', async () => {
  const redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
  const started = start({ REDIS_URL: redis.url });
  expect((await started.ended).code).toBe(1);
  expect(started.output()).toMatch(/has maxmemory-policy allkeys-lru/);
  expect(started.output()).not.toContain('Starting');
  await redis.stop();
});

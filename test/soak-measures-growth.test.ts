import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { growthOf, pointsOf, type Sample } from '../soak/curve.mjs';
import { isFlat } from '../soak/report.mjs';
import { shortHtml, shortText } from '../soak/texts.mjs';
import { testRedisBinary } from './setup/private-redis.ts';

const options = { texts: 1000, kinds: ['text.clean' as const], waiting: 1, withinMs: undefined, growth: 0.05 };

const mebibyte = 2 ** 20;

/** A run of 200 s with a sample a second: the worker is as told (in MiB), Redis doubles. */
function run(workerAt: (second: number) => number): Sample[] {
  return Array.from({ length: 200 }, (_, second) => ({
    texts: second * 1000,
    ms: second * 1000,
    bytes: { worker: workerAt(second) * mebibyte, redis: (1000 + second * 5) * mebibyte },
  }));
}

describe('The soak', () => {
  it('passes over how memory grows in the beginning', () => {
    const samples = run((second) => (second < 25 ? 50 + second * 4 : 150));
    expect(growthOf(samples)?.get('worker')?.share).toBeCloseTo(0, 10);
    expect(isFlat({ options, samples, failed: 0, restarts: 0 })).toBe(true);
  });

  it('sees a leak below what comes and goes', () => {
    const samples = run((second) => 150 + (second % 20) + second * 0.15);
    expect(growthOf(samples)?.get('worker')?.share).toBeGreaterThan(0.1);
    expect(isFlat({ options, samples, failed: 0, restarts: 0 })).toBe(false);
  });

  it('takes a few megabytes for noise', () => {
    const samples = run((second) => 60 + second * 0.05);
    expect(isFlat({ options, samples, failed: 0, restarts: 0 })).toBe(true);
  });

  it('is not well when a task failed or a lane died', () => {
    const samples = run(() => 150);
    expect(isFlat({ options, samples, failed: 1, restarts: 0 })).toBe(false);
    expect(isFlat({ options, samples, failed: 0, restarts: 1 })).toBe(false);
  });

  it('says nothing about growth after a short run', () => {
    expect(growthOf(run(() => 1).slice(0, 40))).toBeUndefined();
  });

  it('shows points evenly, the last one among them', () => {
    const points = pointsOf(
      run(() => 1),
      20,
    );
    expect(points).toHaveLength(20);
    expect(points.at(-1)?.texts).toBe(199_000);
  });

  it('sends no text twice', () => {
    const numbers = Array.from({ length: 50_000 }, (_, index) => index * 21);
    expect(new Set(numbers.map(shortText)).size).toBe(numbers.length);
    expect(new Set(numbers.map(shortHtml)).size).toBe(numbers.length);
  });

  it('runs through, with every result right', async () => {
    const main = fileURLToPath(new URL('../soak/main.mjs', import.meta.url));
    const child = spawn(process.execPath, [main, '--texts', '2000', '--type', 'text.clean'], {
      env: { ...process.env, MILLRACE_TEST_REDIS_BINARY: await testRedisBinary() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text: Buffer) => {
      output += text.toString();
    });
    const [code] = await once(child, 'close');
    expect(output).toMatch(/^2,000 texts, [\d,]+ a second, 0 failed, 0 restarts of lanes$/m);
    expect(code).toBe(0);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { testRedisBinary } from './setup/private-redis.ts';

const main = fileURLToPath(new URL('../chaos/main.mjs', import.meta.url));
const seed = 3;
/** Four hundred tasks and five faults take half a minute; a busy machine may need twice that. */
const withinMs = 85_000;

async function chaos(number: number): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [main, '--short', '--seed', String(number)], {
    env: { ...process.env, MILLRACE_TEST_REDIS_BINARY: await testRedisBinary() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      output += text.toString();
    });
  }
  // Asked politely it ends all that it has started.
  const timer = setTimeout(() => child.kill('SIGTERM'), withinMs - 10_000);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  return { code, output };
}

describe('A mill whose workers are killed and frozen, whose Redis is killed and whose network breaks', () => {
  it(
    'loses nothing, doubles nothing and gives only right results',
    async () => {
      const { code, output } = await chaos(seed);
      expect(output).toContain(
        `chaos seed ${seed}: 0 lost, 0 wrong, 0 doubled, 0 failed, 0 unfinished, 0 late, 0 ghosts, 0 miscounts`,
      );
      expect(code, output).toBe(0);
    },
    withinMs,
  );
});

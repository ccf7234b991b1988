import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startRedis } from '../setup/private-redis.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';
import { isDone, ownFolder, runCli, startCli, startCliIn, until } from './cli-process.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const env = { REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix };

beforeAll(async () => {
  await startWorker({ redisUrl, prefix, env: { FAMILIES: 'inference,text', INFERENCE_LANES: '1' } });
});
afterAll(stopProcesses);

// A line that fails in the middle of each half, so that errors go on, too.
const half = (name: string) => Array.from({ length: 40 }, (_, at) => (at === 20 ? '' : `${name} line ${at}.`));
const [first, second] = [half('first'), half('second')];
const before = `${first.join('\n')}\n`;
const whole = `${before}${second.join('\n')}\n`;

/** What an undisturbed run writes. */
async function undisturbed(folder: string, name: string): Promise<{ rows: Buffer; errors: string }> {
  const output = path.join(folder, `whole-${name}`);
  const errors = path.join(folder, `whole-${name}.errors`);
  const { code } = await runCli(['embed', '-', '-o', output, '--errors', errors], { env, input: whole });
  expect(code).toBe(1);
  return { rows: readFileSync(output), errors: readFileSync(errors, 'utf8') };
}

/** Runs the first half and stops there, as `stop` does it; gives the arguments of the run. */
async function stoppedInTheMiddle(folder: string, name: string, signal: NodeJS.Signals) {
  const output = path.join(folder, name);
  const args = ['embed', '-', '-o', output, '--errors', `${output}.errors`];
  const cli = startCli(args, { env });
  cli.write(before);
  await isDone(output, first.length);
  cli.child.kill(signal);
  return { output, args, end: await cli.ended };
}

describe('A run that was killed', () => {
  it.each(['v.npy', 'v.f32', 'v.jsonl'])('goes on to the same bytes: %s', async (name) => {
    const folder = ownFolder();
    const expected = await undisturbed(folder, name);
    const { output, args } = await stoppedInTheMiddle(folder, name, 'SIGKILL');
    expect(existsSync(output)).toBe(false);
    // What was written behind the last save is cut, whole or torn.
    appendFileSync(`${output}.part`, 'torn');
    appendFileSync(`${output}.errors`, '{"line":');
    const again = await runCli([...args, '--resume'], { env, input: whole });
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('Going on behind 40 records') });
    expect(readFileSync(output).equals(expected.rows)).toBe(true);
    expect(readFileSync(`${output}.errors`, 'utf8')).toBe(expected.errors);
    expect(readdirSync(folder).filter((file) => file.includes('.part'))).toEqual([]);
  });

  it('is not thrown away by the same command, and is with --restart', async () => {
    const folder = ownFolder();
    const { output, args } = await stoppedInTheMiddle(folder, 'v.npy', 'SIGKILL');
    const refused = await runCli(args, { env, input: whole });
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('go on with --resume, or begin again') });
    const anew = await runCli([...args, '--restart'], { env, input: whole });
    expect(anew.code).toBe(1);
    expect(readFileSync(output).equals((await undisturbed(folder, 'v.npy')).rows)).toBe(true);
  });

  it('does not go on with another input or other options, and keeps what it has', async () => {
    const folder = ownFolder();
    const { output, args } = await stoppedInTheMiddle(folder, 'v.npy', 'SIGKILL');
    const draft = readFileSync(`${output}.part`);
    const changed = await runCli([...args, '--resume'], { env, input: whole.replace('first line 3', 'other line 3') });
    expect(changed).toMatchObject({
      code: 2,
      err: expect.stringContaining('stdin has changed in what was done already'),
    });
    const shorter = await runCli([...args, '--resume'], { env, input: before.slice(0, 50) });
    expect(shorter.code).toBe(2);
    const otherFormat = await runCli([...args, '--resume', '--format', 'raw'], { env, input: whole });
    expect(otherFormat.err).toContain('begun with --format npy, not --format raw');
    expect(readFileSync(`${output}.part`).equals(draft)).toBe(true);
    const grown = await runCli([...args, '--resume'], { env, input: `${whole}one more\n` });
    expect(grown.err).toContain('79 rows in');
  });
});

describe('Ctrl-C', () => {
  it('waits for what is under way, keeps it, and the run goes on from there', async () => {
    const folder = ownFolder();
    const expected = await undisturbed(folder, 'v.npy');
    const { output, args, end } = await stoppedInTheMiddle(folder, 'v.npy', 'SIGINT');
    expect(end).toMatchObject({ code: 130, err: expect.stringContaining('Stopping: waiting for the tasks') });
    expect(end.err).toContain('Go on with the same command and --resume.');
    await runCli([...args, '--resume'], { env, input: whole });
    expect(readFileSync(output).equals(expected.rows)).toBe(true);
  });

  /** A run of one line for which there is no worker, once its task is in the queue. */
  async function waitingForNobody(...args: string[]) {
    const alone = { ...env, MILLRACE_PREFIX: ownPrefix() };
    const counts = async () => {
      const { out } = await runCli(['watch', '--once', '--json'], { env: alone });
      return JSON.parse(out).queues.find(({ family }: { family: string }) => family === 'inference').counts;
    };
    const cli = startCli(['embed', '-', ...args], { env: alone });
    cli.write('never computed\n');
    while ((await counts()).queued === 0);
    return { cli, counts };
  }

  it('twice leaves at once, also when nothing comes back', async () => {
    const { cli } = await waitingForNobody();
    expect(cli.err()).toContain('No worker for inference runs');
    cli.child.kill('SIGINT');
    await until(() => (cli.err().includes('Ctrl-C again leaves at once') ? true : undefined));
    cli.child.kill('SIGINT');
    expect((await cli.ended).code).toBe(130);
  });

  it('cancels what is under way if it is told to', async () => {
    const { cli, counts } = await waitingForNobody('--on-interrupt', 'cancel');
    cli.child.kill('SIGINT');
    expect(await cli.ended).toMatchObject({ code: 130, err: expect.stringContaining('Stopped.') });
    expect(await counts()).toMatchObject({ queued: 0, failed: 1 });
  });
});

describe('A run that finds no room on the disk', () => {
  it('breaks off with 4, keeps what is whole, and goes on when there is room', async () => {
    const folder = ownFolder();
    const expected = await undisturbed(folder, 'v.f32');
    const output = path.join(folder, 'v.f32');
    const args = ['embed', '-', '-o', output, '--errors', `${output}.errors`];
    // Blocks of 512 bytes: the first half has room, and what follows has not.
    const limit = Math.ceil((first.length * 384 * 4) / 512) + 8;
    const cli = startCliIn(`trap '' XFSZ; ulimit -f ${limit}; exec "$@"`, args, { env });
    cli.write(before);
    await isDone(output, first.length);
    cli.write(whole.slice(before.length));
    cli.end();
    const end = await cli.ended;
    expect(end).toMatchObject({
      code: 4,
      err: expect.stringContaining('v.f32.part cannot be written, the file may not grow'),
    });
    expect(end.err).toContain('40 records are safe');
    const again = await runCli([...args, '--resume'], { env, input: whole });
    expect(again.code).toBe(1);
    expect(readFileSync(output).equals(expected.rows)).toBe(true);
  });
});

describe('A mill that goes away in the middle', () => {
  it('is waited for with patience; then the run ends with 3, and goes on when the mill is back', async () => {
    const redis = await startRedis();
    const own = { REDIS_URL: redis.url };
    const worker = await startWorker({
      redisUrl: redis.url,
      prefix: '{millrace}',
      env: { FAMILIES: 'inference', INFERENCE_LANES: '1' },
    });
    try {
      const folder = ownFolder();
      const expected = await undisturbed(folder, 'v.npy');
      const output = path.join(folder, 'v.npy');
      const args = ['embed', '-', '-o', output, '--errors', `${output}.errors`, '--patience', '1s'];
      const cli = startCli(args, { env: own });
      cli.write(before);
      await isDone(output, first.length);
      await redis.kill();
      cli.write(whole.slice(before.length));
      const end = await cli.ended;
      expect(end).toMatchObject({ code: 3, err: expect.stringContaining('40 records are safe') });
      await redis.restart();
      const again = await runCli([...args, '--resume'], { env: own, input: whole });
      expect(again.code).toBe(1);
      expect(readFileSync(output).equals(expected.rows)).toBe(true);
    } finally {
      await worker.stop('SIGKILL');
      await redis.stop();
    }
  });
});

describe('Input, output and errors', () => {
  it('are never the same file', async () => {
    const folder = ownFolder();
    const file = path.join(folder, 'texts.txt');
    writeFileSync(file, 'precious\n');
    const end = await runCli(['embed', file, '-o', file], { env });
    expect(end).toMatchObject({ code: 2, err: expect.stringContaining('is named twice') });
    expect(readFileSync(file, 'utf8')).toBe('precious\n');
  });

  it('are not written by two at once', async () => {
    const folder = ownFolder();
    const output = path.join(folder, 'v.npy');
    const cli = startCli(['embed', '-', '-o', output], { env });
    cli.write(before);
    await isDone(output, first.length);
    const other = await runCli(['embed', '-', '-o', output, '--resume'], { env, input: whole });
    expect(other).toMatchObject({ code: 2, err: expect.stringContaining('is writing the same output') });
    cli.end();
    expect((await cli.ended).code).toBe(1);
  });
});

describe('millrace run', () => {
  it('goes on to the same bytes, too', async () => {
    const folder = ownFolder();
    const lines = (name: string) =>
      Array.from({ length: 30 }, (_, at) => `{"id": "${name}${at}", "html": "<p>${name} ${at}"}\n`).join('');
    const args = (output: string) => {
      const template = '{"texts": ["{{html}}"], "format": "html"}';
      return [
        'run',
        '-',
        '--type',
        'text.clean',
        '--input-format',
        'jsonl',
        '--input-template',
        template,
        '--id-field',
        'id',
        '-o',
        output,
      ];
    };
    const [expected, output] = [path.join(folder, 'expected.jsonl'), path.join(folder, 'out.jsonl')];
    await runCli(args(expected), { env, input: lines('a') + lines('b') });
    const cli = startCli(args(output), { env });
    cli.write(lines('a'));
    await isDone(output, 30);
    cli.child.kill('SIGKILL');
    await cli.ended;
    expect((await runCli([...args(output), '--resume'], { env, input: lines('a') + lines('b') })).code).toBe(0);
    expect(readFileSync(output, 'utf8')).toBe(readFileSync(expected, 'utf8'));
    const [line = ''] = readFileSync(output, 'utf8').split('\n');
    expect(JSON.parse(line)).toEqual({ index: 0, id: 'a0', output: { texts: ['a 0'] } });
  });

  it('tells each line whose task fails or is refused, and does the others', async () => {
    const input = '{"texts": ["<b>x"], "format": "html"}\n{"texts": 5}\n{"texts": ["y"], "format": "plain"}\n';
    const end = await runCli(['run', '--type', 'text.clean'], { env, input });
    expect(end.code).toBe(1);
    expect(end.err).toContain('line 2: INVALID_INPUT: input.texts');
    expect(
      end.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { index: 0, output: { texts: ['x'] } },
      { index: 2, output: { texts: ['y'] } },
    ]);
  });
});

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cosine, directModel, ownPrefix } from '../setup/mill.ts';
import { startApi, startWorker, stopProcesses } from '../setup/processes.ts';
import { ownFolder, runCli, startCli, until } from './cli-process.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const byRedis = { REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix };
let byHttp: Record<string, string>;
let modelOf: Awaited<ReturnType<typeof directModel>>;

const texts = ['The wheel turns.', 'Wasser fließt, "langsam", bergab.', 'A queue, in order', '水は流れる'];

beforeAll(async () => {
  const [api] = await Promise.all([
    startApi({ redisUrl, prefix }),
    startWorker({ redisUrl, prefix, env: { FAMILIES: 'inference', INFERENCE_LANES: '1' } }),
  ]);
  byHttp = { MILLRACE_URL: api.url };
  modelOf = await directModel();
});
afterAll(stopProcesses);

/** The rows of a .npy file by its head. */
function rowsOfNpy(file: string): number[][] {
  const bytes = readFileSync(file);
  const headBytes = 10 + bytes.readUInt16LE(8);
  const [, rows = 0, dimensions = 0] = (
    /\((\d+), (\d+)\)/.exec(bytes.subarray(10, headBytes).toString('latin1')) ?? []
  ).map(Number);
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset + headBytes, bytes.byteOffset + bytes.length));
  expect(numbers).toHaveLength(rows * dimensions);
  return Array.from({ length: rows }, (_, row) => [...numbers.subarray(row * dimensions, (row + 1) * dimensions)]);
}

function rowsOfJson(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** What the model itself gives; its own pooling rounds a little otherwise. */
async function expectRows(rows: readonly number[][]): Promise<void> {
  expect(rows).toHaveLength(texts.length);
  for (const [index, text] of texts.entries()) {
    expect(cosine(rows[index] ?? [], await modelOf(text)), text).toBeGreaterThan(0.99999);
  }
}

describe('millrace embed', () => {
  it.each([
    ['by Redis', () => byRedis],
    ['by HTTP', () => byHttp],
  ])('%s gives a row for each line, in order, in all formats', async (_, env) => {
    const folder = ownFolder();
    const file = path.join(folder, 'texts.txt');
    writeFileSync(file, `${texts.join('\n')}\n`);
    const npy = await runCli(['embed', file, '-o', path.join(folder, 'v.npy'), '--json'], { env: env() });
    expect(npy).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(npy.out)).toMatchObject({ records: 4, rows: 4, failed: 0, truncated: 0, stopped: false });
    await expectRows(rowsOfNpy(path.join(folder, 'v.npy')));
    const raw = await runCli(['embed', file, '-o', path.join(folder, 'v.f32')], { env: env() });
    expect(raw.err).toMatch(/4 lines in .*: 4 rows in .*v\.f32\./);
    expect(readFileSync(path.join(folder, 'v.f32'))).toEqual(readFileSync(path.join(folder, 'v.npy')).subarray(128));
    const json = await runCli(['embed', file], { env: env() });
    const rows = rowsOfJson(json.out).map(({ embedding }) => embedding as number[]);
    expect(rows.map((row) => [...Float32Array.from(row)])).toEqual(rowsOfNpy(path.join(folder, 'v.npy')));
    expect(rowsOfJson(json.out)[3]).toMatchObject({ index: 3, truncated: false, tokens: expect.any(Number) });
    expect(readdirSync(folder).sort()).toEqual(['texts.txt', 'v.f32', 'v.npy']);
  });

  it('reads JSONL and CSV, and copies ids and texts', async () => {
    const folder = ownFolder();
    const jsonl = path.join(folder, 'posts.jsonl');
    writeFileSync(jsonl, texts.map((body, id) => JSON.stringify({ id, body })).join('\n'));
    const args = ['--id-field', 'id', '--text'];
    const fromJson = await runCli(['embed', jsonl, '--field', 'body', ...args], { env: byRedis });
    expect(fromJson.code).toBe(0);
    expect(rowsOfJson(fromJson.out)).toMatchObject(texts.map((text, id) => ({ index: id, id, text })));
    const csv = path.join(folder, 'posts.csv');
    const rows = texts.map((text, id) => `${id},"${text.replaceAll('"', '""')}"`);
    writeFileSync(csv, `id,body\r\n${rows.join('\r\n')}\r\n`);
    const fromCsv = await runCli(['embed', csv, '--column', 'body', ...args], { env: byRedis });
    const withoutIds = (text: string) => rowsOfJson(text).map(({ id: _, ...row }) => row);
    expect(withoutIds(fromCsv.out)).toEqual(withoutIds(fromJson.out));
  });

  it('reads stdin, and answers what has come before it ends', async () => {
    const cli = startCli(['embed', '-', '--text'], { env: byRedis });
    let out = '';
    cli.child.stdout?.on('data', (piece) => {
      out += piece;
    });
    cli.write('first\n');
    await until(() => (out.includes('"text":"first"') ? true : undefined));
    cli.write('second\nthird');
    cli.end();
    expect(await cli.ended).toMatchObject({ code: 0 });
    expect(rowsOfJson(out).map(({ text }) => text)).toEqual(['first', 'second', 'third']);
  });

  it('of an empty file makes an empty file, of each kind', async () => {
    const folder = ownFolder();
    const empty = path.join(folder, 'empty.txt');
    writeFileSync(empty, '');
    for (const name of ['v.npy', 'v.f32', 'v.jsonl']) {
      const { code, err } = await runCli(['embed', empty, '-o', path.join(folder, name)], { env: byRedis });
      expect([code, err]).toEqual([0, expect.stringContaining('0 lines in')]);
    }
    expect(rowsOfNpy(path.join(folder, 'v.npy'))).toEqual([]);
    expect(readFileSync(path.join(folder, 'v.f32'))).toHaveLength(0);
    expect(readFileSync(path.join(folder, 'v.jsonl'))).toHaveLength(0);
  });

  it('tells each bad line by its number, ends with 1, and computes the others', async () => {
    const folder = ownFolder();
    const file = path.join(folder, 'some.jsonl');
    writeFileSync(file, '{"text": "fine"}\nno json\n{"text": " "}\n\n{"body": "x"}\n{"text": 5}\n"also fine"\n');
    const errors = path.join(folder, 'errors.jsonl');
    const output = path.join(folder, 'v.npy');
    const end = await runCli(['embed', file, '-o', output, '--errors', errors], { env: byRedis });
    expect(end).toMatchObject({ code: 1, err: expect.stringContaining('2 rows in') });
    expect(end.err).toContain('4 failed');
    const told = rowsOfJson(readFileSync(errors, 'utf8'));
    expect(told.map(({ line, code }) => [line, code])).toEqual([2, 3, 5, 6].map((line) => [line, 'INVALID_INPUT']));
    expect(told[2]?.['message']).toBe('There is no field "text" among body: name another with --field.');
    const rows = rowsOfNpy(output);
    expect(rows.map((row) => Number.isNaN(row[0]))).toEqual([false, true, true, true, true, false]);
    const onStderr = await runCli(['embed', file], { env: byRedis });
    expect(onStderr.err).toContain('line 2: INVALID_INPUT: The line is not JSON');
    const text = 'a text far beyond what one task may be '.repeat(40_000);
    const long = await runCli(['embed'], { env: byRedis, input: `fine\n${text}\nfine too\n` });
    expect(long).toMatchObject({ code: 1, err: expect.stringContaining('line 2: INPUT_TOO_LARGE') });
    expect(rowsOfJson(long.out).map(({ index }) => index)).toEqual([0, 2]);
  });

  it('says of texts that the model does not read to the end', async () => {
    const { err, out } = await runCli(['embed', '-'], { env: byRedis, input: `${'word '.repeat(400)}\n` });
    expect(err).toContain('1 text longer than the model reads, and cut');
    expect(rowsOfJson(out)[0]).toMatchObject({ truncated: true });
  });

  it('ends with 2 for a model that no worker has, and leaves nothing behind', async () => {
    const folder = ownFolder();
    const output = path.join(folder, 'v.npy');
    const end = await runCli(['embed', '-', '-o', output, '--model', 'nobody-has-it'], {
      env: byRedis,
      input: 'text\n',
    });
    expect(end).toMatchObject({ code: 2, err: expect.stringContaining('No worker has the model "nobody-has-it"') });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('ends when whoever reads its output has gone', async () => {
    const cli = startCli(['embed', '-'], { env: byRedis });
    cli.write(`${texts.join('\n')}\n`);
    cli.child.stdout?.once('data', () => {
      cli.child.stdout?.destroy();
      cli.write('one more\n'.repeat(10));
      cli.end();
    });
    expect(await cli.ended).toMatchObject({ code: 4, err: expect.stringContaining('whoever read it has closed it') });
  });
});

describe('A full disk', () => {
  it('breaks a run off with 4 and says so', async () => {
    const end = await runCli(['embed', '-', '-o', '/dev/full'], { env: byRedis, input: texts.join('\n') });
    expect(end).toMatchObject({
      code: 4,
      err: expect.stringContaining('/dev/full cannot be written, the disk is full'),
    });
    expect(existsSync('/dev/full.part')).toBe(false);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCli } from './cli-process.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const commands = ['embed', 'run', 'plan', 'enqueue', 'get', 'search', 'watch', 'status', 'explain', 'retry', 'cancel'];

describe('millrace --help', () => {
  it('lists every command, how a mill is found, and the exit codes', async () => {
    const { code, out } = await runCli(['--help']);
    expect(code).toBe(0);
    for (const command of commands) expect(out).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    for (const word of ['MILLRACE_URL', 'REDIS_URL', 'npm start', 'Exit codes', '130']) expect(out).toContain(word);
    expect(out).not.toContain('\u001b[');
  });

  it.each(commands)('of %s has a sentence, examples, and only options that the page names', async (command) => {
    const { code, out } = await runCli([command, '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^Usage: millrace ${command} `));
    expect(out).toContain('Examples:');
    expect(out).toMatch(new RegExp(`^ {2}\\S*.*millrace ${command} `, 'm'));
    expect(page).toContain(`millrace ${command}`);
    const flags = [...out.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag);
    expect(flags.length).toBeGreaterThan(3);
    for (const flag of flags.filter((one) => one !== '--help')) expect(page, flag).toContain(flag);
  });
});

describe('A wrong command', () => {
  it.each([
    [['no-such-command'], "unknown command 'no-such-command'"],
    [['embed', '--no-such-option'], "unknown option '--no-such-option'"],
    [['embed', 'no-such-file'], 'no-such-file is not there: check the path.'],
    [['embed', '.'], '. is a folder'],
    [['embed', '-', '--format', 'npy'], 'name it with -o'],
    [['embed', '-', '--resume'], 'need a file that can be continued'],
    [['embed', '-', '--format', 'parquet'], 'Allowed choices are jsonl, npy, raw'],
    [['embed', '-', '--in-flight', '0'], 'Expected a whole number from 1.'],
    [['embed', '-', '--id-field', 'x'], 'plain lines have none'],
    [['run', '-'], "required option '--type <type>' not specified"],
    [['run', 'lines.txt', '--type', 'text.clean'], 'say with --input-template'],
    [['get'], "missing required argument 'id'"],
    [['enqueue', 'text.clean', '--input', '{'], 'Expected JSON'],
  ])('%j ends with 2 and says what is right', async (args, sentence) => {
    const { code, err, out } = await runCli(args, { env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
  });
});

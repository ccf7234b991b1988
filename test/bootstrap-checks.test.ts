import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeRefusal } from '../scripts/node-version.mjs';
import { freePort } from '../scripts/redis/free-port.mjs';
import { parseEnvFile, withEnvFile } from '../scripts/setup/env-file.mjs';
import { startTimeOf } from '../scripts/setup/process-identity.mjs';
import { watchStopRequests } from '../scripts/setup/stop-requests.mjs';
import { takeLock } from '../scripts/start/lock.mjs';
import { refuseTakenPort } from '../scripts/start/port-check.mjs';
import { readSettings } from '../scripts/start/settings.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-checks-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the Node check', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '24.21.0'])('takes %s', (version) => {
    expect(nodeRefusal(version)).toBe('');
  });

  it.each(['12.22.12', '16.20.2', '18.20.8', '20.18.3'])('refuses %s with the command that mends it', (version) => {
    expect(nodeRefusal(version)).toMatch(/^Millrace needs Node 20\.19 or newer .*`nvm install 22`.*\.$/);
    expect(nodeRefusal(version)).toContain(version);
  });
});

describe('the settings of npm start', () => {
  const read = (env: Record<string, string>, args: string[] = []) => readSettings({ root: folder, env, args });

  it('have the documented defaults', () => {
    expect(read({})).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      home: join(folder, '.millrace'),
      redisUrl: undefined,
    });
  });

  it.each(['0', '65536', '-1', '3000x', '3e3', ' '])('refuse PORT=%j in one sentence', (port) => {
    expect(() => read({ PORT: port })).toThrow(/^PORT is a whole number from 1 to 65535 .*`PORT=3001 npm start`\.$/);
  });

  it('refuse an argument they do not know', () => {
    expect(() => read({}, ['--verbos'])).toThrow('--verbos;');
    expect(read({}, ['--verbose']).verbose).toBe(true);
  });

  it('show an address that a browser here can open', () => {
    expect(read({ HOST: '0.0.0.0' }).address).toBe('http://127.0.0.1:3000');
    expect(read({ HOST: '::1', PORT: '80' }).address).toBe('http://[::1]:80');
  });

  it('come from .env, beneath the environment', () => {
    writeFileSync(join(folder, '.env'), 'PORT=4000\nREDIS_URL="redis://h:1"\n');
    expect(read({ PORT: '4001' })).toMatchObject({ port: 4001, redisUrl: 'redis://h:1' });
  });

  it('read .env as dotenv does', () => {
    const text = '# a comment\nexport A=1\nB = "x # y" # z\nC=plain # why\nD=\'q\'\nE=\r\nnonsense\nF=a=b';
    expect(parseEnvFile(text)).toEqual({ A: '1', B: 'x # y', C: 'plain', D: 'q', E: '', F: 'a=b' });
  });

  it('need no .env', () => {
    expect(withEnvFile(folder, { A: '1' })).toEqual({ A: '1' });
  });
});

describe('the port check', () => {
  it('names a port that is taken, and the command', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const another = port >= 3000 && port < 65_535 ? port + 1 : 3001;
    await expect(refuseTakenPort({ host: '127.0.0.1', port })).rejects.toThrow(
      `Port ${port} is taken by another program; choose one with \`PORT=${another} npm start\`.`,
    );
    await new Promise((resolve) => server.close(resolve));
    await refuseTakenPort({ host: '127.0.0.1', port });
  });

  it('says when HOST is not ours', async () => {
    await expect(refuseTakenPort({ host: '192.0.2.1', port: await freePort() })).rejects.toThrow('HOST 192.0.2.1');
  });
});

describe('the lock of a data folder', () => {
  const path = () => join(folder, 'start.lock');
  const startTime = startTimeOf(process.pid) ?? '';

  it('is refused while its holder runs, with its address, and free after', () => {
    const lock = takeLock(path(), 'http://127.0.0.1:3000');
    expect(() => takeLock(path(), 'http://127.0.0.1:4000')).toThrow(/already runs .* http:\/\/127\.0\.0\.1:3000/);
    lock.release();
    takeLock(path(), 'http://127.0.0.1:4000').release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a process that ended', { pid: 2 ** 22 + 1, startTime: '1', address: '' }],
    ['another process that got its pid', { pid: process.pid, startTime: `${startTime}0`, address: '' }],
  ])('is taken over from %s', (_, holder) => {
    writeFileSync(path(), JSON.stringify(holder));
    takeLock(path(), '').release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken over when its file was cut short', () => {
    writeFileSync(path(), '{"pid":');
    takeLock(path(), '').release();
  });
});

describe('a request to stop', () => {
  it('is not taken for two when npm hands on what the terminal has sent', () => {
    const source = new EventEmitter();
    let now = 0;
    const requests = watchStopRequests(source, () => now);
    source.emit('SIGINT', 'SIGINT');
    now = 20;
    source.emit('SIGINT', 'SIGINT');
    expect([requests.stop.reason, requests.force.aborted]).toEqual(['SIGINT', false]);
    now = 1000;
    source.emit('SIGTERM', 'SIGTERM');
    expect(requests.force.aborted).toBe(true);
    requests.release();
    expect(source.eventNames()).toEqual([]);
  });
});

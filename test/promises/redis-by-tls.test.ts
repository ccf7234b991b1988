import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { ownPrefix } from '../setup/mill.ts';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { startApi, startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';
import { makeTlsFiles, type TlsFolder } from '../setup/tls-files.ts';

const serverName = 'redis.mill.test';
const prefix = ownPrefix();
const files: TlsFolder = makeTlsFiles(serverName);
const port = await freePort();
const redis = await startTlsRedis();
afterAll(async () => {
  await redis?.stop();
  files.remove();
});

/** A Redis that wants a certificate of its clients; undefined when it was built without TLS. */
async function startTlsRedis(): Promise<PrivateRedis | undefined> {
  const server = ['--tls-cert-file', files.server.cert, '--tls-key-file', files.server.key];
  const args = ['--tls-port', String(port), ...server, '--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'yes'];
  try {
    return await startRedis({ args });
  } catch (error) {
    // As such a server says of an option that it does not know.
    if (!/Bad directive|Failed finding TLS support/i.test(String(error))) throw error;
    process.stderr.write('This Redis was built without TLS: its connections by TLS are not tried.\n');
    return undefined;
  }
}

const env = {
  REDIS_TLS_CA: files.ca,
  REDIS_TLS_CERT: files.client.cert,
  REDIS_TLS_KEY: files.client.key,
  REDIS_TLS_SERVERNAME: serverName,
};
const redisUrl = `rediss://127.0.0.1:${port}`;

/** The same in one address, as an app gives it to its client. */
function addressWith(parameters: Record<string, string>): string {
  return `${redisUrl}?${new URLSearchParams(parameters)}`;
}

const wholeAddress = addressWith({
  tlsCa: files.ca,
  tlsCert: files.client.cert,
  tlsKey: files.client.key,
  tlsServername: serverName,
});

describe.skipIf(redis === undefined)('A Redis behind TLS that wants a certificate of its own authority', () => {
  let api: TestProcess & { readonly url: string };
  let mill: Millrace;
  beforeAll(async () => {
    mill = new Millrace({ redisUrl: wholeAddress, prefix });
    const options = { redisUrl, prefix, env };
    const worker = startWorker({ ...options, env: { ...env, FAMILIES: 'text,vector' } });
    [api] = await Promise.all([startApi(options), worker]);
  });
  afterAll(async () => {
    await mill.close();
    await stopProcesses();
  });

  it('serves a mill whose processes and lanes have the files by settings, and a client by its address', async () => {
    const task = await mill.enqueue('text.clean', { texts: ['<b>a</b>'], format: 'html' });
    expect(await task.result({ timeoutMs: 20_000 })).toMatchObject({ texts: ['a'] });
    await mill.createCollection('tls', { dimensions: 2, metric: 'cosine' });
    const points = [{ id: 'a', vector: [1, 0] }];
    const written = await mill.enqueue('vector.upsert', { collection: 'tls', points });
    expect((await written.result({ timeoutMs: 20_000 })).upserted).toBe(1);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  });

  it.each([
    ['without its authority', { tlsServername: serverName }],
    ['by another name than the certificate has', { tlsCa: files.ca }],
    ['without a certificate of its own', { tlsCa: files.ca, tlsServername: serverName }],
  ])('refuses a client %s', async (_, parameters) => {
    const stranger = new Millrace({ redisUrl: addressWith(parameters), prefix });
    try {
      await expect(stranger.list()).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    } finally {
      await stranger.close();
    }
  });
});

describe('Files of TLS that do not go together', () => {
  it('are refused with the setting and what to write, before anything is connected', async () => {
    const start = (more: Record<string, string>) => startWorker({ redisUrl, prefix, env: { ...env, ...more } });
    await expect(start({ REDIS_TLS_CA: '/no/such.pem' })).rejects.toThrow(
      /REDIS_TLS_CA is .*no\/such\.pem.*name a PEM file/,
    );
    await expect(start({ REDIS_TLS_KEY: '' })).rejects.toThrow(/both a certificate and its key/);
    await expect(start({ REDIS_URL: 'redis://127.0.0.1:1' })).rejects.toThrow(/expected rediss:\/\//);
  });
});

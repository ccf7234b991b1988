import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClusterSet } from '../../scripts/redis/cluster-set.mjs';
import { openSentinelSet } from '../../scripts/redis/sentinel-set.mjs';
import { ask, type RedisSet, untilSo } from '../../scripts/redis/set.mjs';
import { testRedisBinary } from './private-redis.ts';

/** A master, two replicas and three Sentinels of a test's own; `close` removes its data. */
export async function startSentinelSet(): Promise<RedisSet> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sentinel-'));
  return removing(folder, await openSentinelSet({ binary: await testRedisBinary(), folder, replicas: 2 }));
}

/** Three masters and three replicas of a test's own; `close` removes their data. */
export async function startClusterSet(prefix: string): Promise<Awaited<ReturnType<typeof openClusterSet>>> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-'));
  return removing(folder, await openClusterSet({ binary: await testRedisBinary(), folder, prefix }));
}

/** Resolves once a replica has all that the master had when it was asked. */
export async function caughtUp(set: RedisSet): Promise<void> {
  const { url } = await set.master();
  const there = await replicationOf(url);
  const hasAll = async (node: { readonly url: string }) => {
    const { role, offset } = await replicationOf(node.url);
    return role === 'slave' && offset >= there.offset;
  };
  const others = set.nodes.filter((node) => node.isUp && node.url !== url);
  await untilSo(async () => (await Promise.all(others.map(hasAll))).includes(true), 'a replica that has caught up');
}

async function replicationOf(url: string): Promise<{ readonly role: string | undefined; readonly offset: number }> {
  const info = String(await ask(url, ['INFO', 'replication']));
  const offset = /(?:master|slave)_repl_offset:(\d+)/.exec(info)?.[1];
  return { role: /role:(\w+)/.exec(info)?.[1], offset: Number(offset) };
}

/** Resolves once another node is master. */
export async function otherMaster(set: RedisSet, port: number): Promise<void> {
  for (;;) {
    const now = await set.master().catch(() => undefined);
    if (now !== undefined && now.port !== port) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function removing<Set extends RedisSet>(folder: string, set: Set): Set {
  const close = async () => {
    await set.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...set, close };
}

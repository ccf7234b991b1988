import type { RedisOptions } from 'ioredis';
import { MillraceError } from '../errors.ts';
import { ClusterMaster } from './cluster-master.ts';
import { type Login, type MasterSeeker, masterConnector } from './master-connector.ts';
import { tlsOptions } from './redis-tls.ts';
import { parseRedisUrl, type RedisAddress } from './redis-url.ts';
import { SentinelMaster } from './sentinel-master.ts';

interface AddressParams {
  readonly url: string;
  /** Needed in a cluster: it decides about the node. */
  readonly prefix: string | undefined;
  /**
   * How long a master that may be replaced is waited for while it says nothing; ms. When its machine is gone, no word comes any more,
   * not even that the connection has ended. A Redis that cannot be replaced is waited for.
   */
  readonly silentMs: number;
  readonly retryDelayMs: (attempt: number) => number;
}

/** Where and how to connect, in ioredis' terms. @throws MillraceError CONFIG_INVALID. */
export function addressOptions({ url, prefix, silentMs, retryDelayMs }: AddressParams): RedisOptions {
  const address = parseRedisUrl(url);
  const { username, password, db } = address;
  const login = loginOf(address, { username, password });
  if (address.kind === 'single') return { ...address.hosts[0], ...login, db };
  const Connector = masterConnector(seekerOf(address, login, prefix), retryDelayMs);
  return { ...login, db, Connector, socketTimeout: silentMs };
}

function seekerOf(address: RedisAddress, login: Login, prefix: string | undefined): MasterSeeker {
  const { hosts, sentinel } = address;
  if (sentinel !== undefined) {
    const { master, username, password } = sentinel;
    return new SentinelMaster({ hosts, master, login: loginOf(address, { username, password }) });
  }
  if (prefix === undefined) {
    throw new MillraceError('CONFIG_INVALID', 'In a cluster the prefix of the mill must be known: give `prefix`.');
  }
  return new ClusterMaster({ hosts, prefix, login });
}

interface User {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

function loginOf({ family, tls }: RedisAddress, { username, password }: User): Login {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(family === undefined ? {} : { family }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
  };
}

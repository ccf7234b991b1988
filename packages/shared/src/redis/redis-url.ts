import { MillraceError } from '../errors.ts';

/** One address of Redis, a Sentinel, or a node of a cluster. */
export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** The files of a TLS connection, and the name that the server's certificate must have. */
export interface TlsFiles {
  /** PEM of the authorities to trust in place of the system's. */
  readonly ca: string | undefined;
  /** PEM of our own certificate and its key, where the server asks for one. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** In place of the host's own name, which is what is checked otherwise. */
  readonly servername: string | undefined;
}

/** What a REDIS_URL says. */
export interface RedisAddress {
  /** `sentinel`: the hosts are Sentinels, which know the master. `cluster`: some nodes, which know the others. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly hosts: readonly RedisHost[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** Undefined without TLS. */
  readonly tls: TlsFiles | undefined;
  /** 4 or 6 for one version of IP alone, 0 for either. */
  readonly family: number | undefined;
  readonly sentinel:
    | { readonly master: string; readonly username: string | undefined; readonly password: string | undefined }
    | undefined;
}

/** What a REDIS_URL looks like, for a message. */
export const redisUrlForms =
  'redis://127.0.0.1:6379, rediss://user:password@host:6379/0, redis+sentinel://user:password@host1:26379,host2:26379/master or redis+cluster://host1:6379,host2:6379';

/** The parameters behind `?` that carry TLS. */
export const tlsParameters = ['tlsCa', 'tlsCert', 'tlsKey', 'tlsServername'] as const;

const ports = { single: 6379, sentinel: 26379, cluster: 6379 } as const;
const parametersOf = {
  single: ['db', 'family'],
  sentinel: ['db', 'family', 'sentinelUser', 'sentinelPassword'],
  cluster: ['family'],
} as const;
/** Redis has 16 databases unless it is set up with more. */
const mostDb = 9999;

/** An address without its passwords, fit for a log; also of a text that is no address. */
export function maskRedisUrl(text: string): string {
  return text.replace(/^((?:[a-z+]*:\/\/)?[^:@/]*):.*@/i, '$1:***@').replace(/([?&]\w*password=)[^&]*/gi, '$1***');
}

/** What would have been right, as an end of "expected …"; undefined when it is. */
export function redisUrlProblem(text: string): string | undefined {
  try {
    read(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Reads a REDIS_URL. @throws MillraceError CONFIG_INVALID with the address, its passwords left out, and what to write. */
export function parseRedisUrl(text: string): RedisAddress {
  try {
    return read(text);
  } catch (error) {
    const message = `The address of Redis is "${maskRedisUrl(text)}", expected ${(error as Error).message}.`;
    throw new MillraceError('CONFIG_INVALID', message);
  }
}

const form =
  /^redis(?<s>s)?(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<login>.*)@)?(?<hosts>[^/?]+)(?:\/(?<path>[^?]*))?(?:\?(?<query>.*))?$/;

/** @throws Error whose message is what was expected. */
function read(text: string): RedisAddress {
  const groups = form.exec(text)?.groups;
  if (groups === undefined || /\s/.test(text)) throw new Error(`a URL such as ${redisUrlForms}`);
  const kind = (groups['kind'] ?? 'single') as RedisAddress['kind'];
  const hosts = (groups['hosts'] ?? '').split(',').map((host) => readHost(host, ports[kind]));
  if (kind === 'single' && hosts.length > 1) {
    throw new Error('one host, or redis+sentinel:// or redis+cluster:// before several');
  }
  const query = readQuery(groups['query'] ?? '', kind);
  const path = decode(groups['path'] ?? '');
  return {
    kind,
    hosts,
    ...readLogin(groups['login']),
    db: readDb(kind === 'sentinel' ? query.get('db') : path || query.get('db'), kind),
    tls: readTls(query, groups['s'] !== undefined),
    family: readFamily(query.get('family')),
    sentinel: kind === 'sentinel' ? readSentinel(path, query) : undefined,
  };
}

function readHost(text: string, otherwise: number): RedisHost {
  const [, host = '', port] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const number = port === undefined ? otherwise : Number(port);
  if (host === '' || number < 1 || number > 65_535) {
    throw new Error('hosts such as redis.local:6379 or [::1]:6379, with commas between, and a port of 1 to 65535');
  }
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: number };
}

function readLogin(text: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (text === undefined) return { username: undefined, password: undefined };
  const [user = '', ...rest] = text.split(':');
  const password = rest.length === 0 ? undefined : decode(rest.join(':'));
  return { username: decode(user) || undefined, password };
}

function readQuery(text: string, kind: RedisAddress['kind']): URLSearchParams {
  const query = new URLSearchParams(text);
  const known: readonly string[] = [...parametersOf[kind], ...tlsParameters];
  const unknown = [...query.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`no parameter ${unknown} (there are ${known.join(', ')})`);
  return query;
}

function readDb(text: string | null | undefined, kind: RedisAddress['kind']): number {
  const db = Number(text ?? 0);
  if (kind === 'cluster' && db !== 0) throw new Error('no database: a cluster has only number 0');
  if (!/^\d*$/.test(text ?? '') || db > mostDb) throw new Error('the number of a database behind the host, such as /0');
  return db;
}

function readFamily(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^[046]$/.test(text)) throw new Error('family=0, 4 or 6');
  return Number(text);
}

function readTls(query: URLSearchParams, isTls: boolean): TlsFiles | undefined {
  const [ca, cert, key, servername] = tlsParameters.map((name) => query.get(name) ?? undefined);
  const given = [ca, cert, key, servername].some((value) => value !== undefined);
  if (given && !isTls) throw new Error('rediss:// (with TLS) where TLS files or a server name are given');
  if ((cert === undefined) !== (key === undefined)) throw new Error('both a certificate and its key, or neither');
  return isTls ? { ca, cert, key, servername } : undefined;
}

function readSentinel(master: string, query: URLSearchParams): RedisAddress['sentinel'] {
  if (master === '')
    throw new Error('the name of the master behind the Sentinels, such as redis+sentinel://host:26379/mymaster');
  return {
    master,
    username: query.get('sentinelUser') ?? undefined,
    password: query.get('sentinelPassword') ?? undefined,
  };
}

/** A percent sign that begins no code stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

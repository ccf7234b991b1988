import { createHash, timingSafeEqual } from 'node:crypto';
import { MillraceError } from '@millrace/shared/errors';
import type { ApiScope } from '@millrace/shared/settings';
import { isLoopbackName } from './hosts.ts';

/** A key as it is configured: never the key itself. */
export interface KeyEntry {
  readonly name: string;
  readonly scope: ApiScope;
  /** sha256 of the key, in hex. */
  readonly hash: string;
  /** Requests a minute, in place of RATE_LIMIT; 0: no limit. */
  readonly limit?: number;
}

/** Whose key a request came with. */
export interface Caller {
  readonly name: string;
  readonly scope: ApiScope;
  readonly limit: number | undefined;
}

/**
 * Who may use the API: `open` lets everybody in (loopback without keys), `keys` those whose hash is known, `pending` nobody
 * yet, since the key that the API makes for itself lies in Redis, which has not answered. pending -> keys, once.
 */
export class Keyring {
  private entries: readonly { caller: Caller; hash: Buffer }[] | undefined;
  readonly open: boolean;

  private constructor(open: boolean, entries: readonly KeyEntry[] | undefined) {
    this.open = open;
    if (entries !== undefined) this.learn(entries);
  }

  /** The keys of a configuration; without any, only a loopback address is open. */
  static from({
    HOST,
    MILLRACE_API_KEYS = [],
  }: {
    HOST: string;
    MILLRACE_API_KEYS: readonly KeyEntry[] | undefined;
  }): Keyring {
    if (MILLRACE_API_KEYS.length > 0) return new Keyring(false, MILLRACE_API_KEYS);
    return isLoopbackName(HOST) ? new Keyring(true, []) : new Keyring(false, undefined);
  }

  /** Whether the API still has to make, or look up, a key of its own. */
  get pending(): boolean {
    return this.entries === undefined;
  }

  learn(entries: readonly KeyEntry[]): void {
    this.entries = entries.map(({ name, scope, hash, limit }) => ({
      caller: { name, scope, limit },
      hash: Buffer.from(hash, 'hex'),
    }));
  }

  /**
   * Whose key this is; undefined when nobody's. The time it takes says nothing about the keys: hashes are compared, all of them.
   * @throws MillraceError REDIS_UNAVAILABLE while the keys are not known.
   */
  find(key: string | undefined): Caller | undefined {
    if (this.entries === undefined) {
      throw new MillraceError('REDIS_UNAVAILABLE', 'The key of this API lies in Redis, which has not answered yet.', {
        retryAfterMs: 1000,
      });
    }
    // The hash of nothing is what a key that was not set makes, so nothing is never a key.
    if (key === undefined || key === '') return undefined;
    const hash = createHash('sha256').update(key).digest();
    const matches = this.entries.filter((entry) => timingSafeEqual(entry.hash, hash));
    return matches[0]?.caller;
  }
}

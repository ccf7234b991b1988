import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from './connection.ts';
import { beyondMemoryLimit } from './memory-limit.ts';

type ScriptArgument = string | number | Buffer;

/** A Lua script of ../lua. Its signature stands in its head; each has one typed caller. */
export class Script {
  private readonly name: string;
  private readonly beyondLimit: boolean;
  private loaded: { source: string; sha: string } | undefined;

  /** `beyondLimit`: it must run while Redis is at its maxmemory, too, since it helps to end what was accepted. */
  constructor(name: string, { beyondLimit = false }: { beyondLimit?: boolean } = {}) {
    this.name = name;
    this.beyondLimit = beyondLimit;
  }

  /** Runs it by its hash, and sends the source when this Redis has not seen it. */
  async run(redis: Redis, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    const { source, sha } = this.load();
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await redis.eval(source, keys.length, ...keys, ...args);
    }
  }

  private load(): { source: string; sha: string } {
    if (this.loaded === undefined) {
      const file = readFileSync(new URL(`../../lua/${this.name}.lua`, import.meta.url), 'utf8');
      const source = this.beyondLimit ? beyondMemoryLimit(file) : file;
      this.loaded = { source, sha: createHash('sha1').update(source).digest('hex') };
    }
    return this.loaded;
  }
}

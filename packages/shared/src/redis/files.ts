import { z } from 'zod';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';
import { pageBehind } from './sorted-pages.ts';

const fileSchema = z.object({
  id: z.string(),
  bytes: z.coerce.number(),
  /** ms since 1970. */
  createdAt: z.coerce.number(),
  expiresAt: z.coerce.number(),
  /** As the client called it: for people, never a path. */
  filename: z.string(),
  purpose: z.string(),
});
/** What is known of a stored file. */
export type FileFacts = z.infer<typeof fileSchema>;

/** The outputs of a run must find their place while Redis is full, too: it frees more than it takes. */
const keepFile = new Script('keep-file', { beyondLimit: true });
const dropFile = new Script('drop-file', { beyondLimit: true });

/** The facts of the files that are stored. A file without facts does not exist, whatever lies in the store. */
export class FileIndex {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Notes a file; once more with the same id, it replaces what was noted. */
  async keep(file: FileFacts): Promise<void> {
    const { files, expiringFiles } = this.keys;
    const fields = Object.entries(file).flatMap(([name, value]) => [name, value.toString()]);
    const args = [file.id, file.createdAt, file.expiresAt, ...fields];
    await keepFile.run(this.redis, [this.keys.file(file.id), files, expiringFiles], args);
  }

  async get(id: string): Promise<FileFacts | undefined> {
    const fields = await this.redis.hgetall(this.keys.file(id));
    return Object.keys(fields).length === 0 ? undefined : fileSchema.parse(fields);
  }

  /** Up to `count` files in order of their creation, behind one if it is given. Undefined when there is no such one. */
  async list(page: {
    after: string | undefined;
    newestFirst: boolean;
    count: number;
  }): Promise<FileFacts[] | undefined> {
    const ids = await pageBehind(this.redis, this.keys.files, page);
    if (ids === undefined) return undefined;
    const found = await Promise.all(ids.map((id) => this.get(id)));
    // One may have gone between the two looks.
    return found.filter((file) => file !== undefined);
  }

  /** Forgets a file: `dropped`, `in-use` by a run that has not ended, or `missing`. */
  async drop(id: string): Promise<'dropped' | 'in-use' | 'missing'> {
    const { keys } = this;
    const reply = await dropFile.run(
      this.redis,
      [keys.file(id), keys.files, keys.expiringFiles, keys.fileUsers(id)],
      [id],
    );
    if (reply === 1) return 'dropped';
    return reply === 0 ? 'in-use' : 'missing';
  }

  /** Files whose time was over before `now` (ms since 1970), the oldest first, behind so many others. */
  async expired(now: number, { skip, count }: { skip: number; count: number }): Promise<string[]> {
    return await this.redis.zrangebyscore(this.keys.expiringFiles, '-inf', now, 'LIMIT', skip, count);
  }
}

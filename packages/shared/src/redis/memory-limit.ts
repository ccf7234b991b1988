/** What scripts are defined on: a connection of ioredis. */
interface ScriptHost {
  defineCommand(name: string, definition: { lua: string; numberOfKeys?: number; readOnly?: boolean }): void;
}

/**
 * A script that also runs while Redis is at its maxmemory. Redis refuses a script there at its first write that could need
 * memory, but one that has written something already it must let end; to delete a key that does not exist is such a write, and
 * changes nothing. Tried on Redis 7; Redis 5 and 6 judge alike, which have no `#!lua flags=allow-oom`. The key is made of the
 * script's first, so that it lies on the same node of a cluster.
 */
export function beyondMemoryLimit(lua: string): string {
  return `redis.call('DEL', KEYS[1] .. ':none')\n${lua}`;
}

/**
 * Lets BullMQ's scripts of a connection run beyond maxmemory: a worker must fetch, renew its locks and end what was accepted, or
 * a full Redis would stay full. Without it BullMQ's fetch fails there for ever, some 3,000 times a second.
 */
export function letScriptsPassMemoryLimit(redis: ScriptHost): void {
  const define = redis.defineCommand.bind(redis);
  redis.defineCommand = (name, definition) => define(name, { ...definition, lua: beyondMemoryLimit(definition.lua) });
}

/** Whether Redis refused a command because it is at its maxmemory. */
export function isOutOfMemory(error: unknown): boolean {
  // In a transaction the refusal comes with its command; the transaction itself is then discarded.
  const previous: unknown = error instanceof Error && 'previousErrors' in error ? error.previousErrors : [];
  const all = [error, ...(Array.isArray(previous) ? previous : [])];
  return all.some((one) => one instanceof Error && one.message.includes('OOM command not allowed'));
}

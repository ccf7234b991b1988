import { toMillraceError } from '@millrace/shared/errors';
import { isOutOfMemory } from '@millrace/shared/redis/memory-limit';
import { type CallContext, failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import { tookTooLong, unlessStopped } from './turns.ts';

/**
 * Writes the items of a call one after the other; one that cannot be written fails alone. What has been written stays: a task
 * that is done again writes the same. What is still on its way when the call is stopped (Redis is away) is written only if the
 * task is still this worker's when it arrives.
 */
export async function writeEach<Item, Value>(
  items: readonly Item[],
  { signal }: CallContext,
  write: (item: Item) => Promise<Value>,
): Promise<ItemOutcome<Value>[]> {
  const outcomes: ItemOutcome<Value>[] = [];
  for (const item of items) {
    try {
      if (signal.aborted) throw tookTooLong();
      outcomes.push(succeeded(await unlessStopped(write(item), signal)));
    } catch (error) {
      outcomes.push(failureOf(error));
    }
  }
  return outcomes;
}

function failureOf(error: unknown): ItemOutcome<never> {
  if (isOutOfMemory(error)) return failed('QUEUE_FULL', 'Redis is at its memory limit (maxmemory).');
  const { code, message } = toMillraceError(error);
  return failed(code, message);
}

import { toMillraceError } from '@millrace/shared/errors';
import { isOutOfMemory } from '@millrace/shared/redis/memory-limit';
import { type CallContext, failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';

/**
 * Writes the items of a call one after the other; one that cannot be written fails alone. What has been written stays: a task
 * that is done again writes the same.
 */
export async function writeEach<Item, Value>(
  items: readonly Item[],
  { signal }: CallContext,
  write: (item: Item) => Promise<Value>,
): Promise<ItemOutcome<Value>[]> {
  const outcomes: ItemOutcome<Value>[] = [];
  for (const item of items) {
    if (signal.aborted) {
      outcomes.push(failed('TASK_TIMEOUT', 'It took too long.'));
      continue;
    }
    try {
      outcomes.push(succeeded(await write(item)));
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

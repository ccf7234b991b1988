import { MillraceError } from '@millrace/shared/errors';
import type { Collections } from '@millrace/shared/redis/collections';
import { withRedis } from '@millrace/shared/redis/connection';
import type { ParsedTask } from '@millrace/shared/tasks/parse';
import { mismatchOf } from '@millrace/shared/tasks/vector/collection-use';

/**
 * Why a task does not suit the collection that it names; undefined when it does, or names none. The worker looks again: the
 * collection may be another by then.
 * @throws MillraceError REDIS_UNAVAILABLE.
 */
export async function collectionRefusal(
  collections: Collections,
  { taskType, input }: ParsedTask,
): Promise<MillraceError | undefined> {
  const use = taskType.collection(input);
  if (use === undefined) return undefined;
  const state = await withRedis(() => collections.read(use.name));
  if (state === undefined) {
    const path = 'input.collection';
    const expected = 'the name of a collection';
    const remedy = `Create it first: PUT /v1/collections/${use.name}.`;
    const problems = [{ path, got: JSON.stringify(use.name), expected, remedy }];
    return new MillraceError('COLLECTION_NOT_FOUND', `There is no collection ${use.name}.`, { problems });
  }
  const mismatch = mismatchOf(use, state);
  return mismatch && new MillraceError(mismatch.code, mismatch.message, { problems: mismatch.problems });
}

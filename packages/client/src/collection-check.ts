import { MillraceError } from '@millrace/shared/errors';
import type { Collections } from '@millrace/shared/redis/collections';
import { withRedis } from '@millrace/shared/redis/connection';
import { type Door, limitsOf, type ParsedTask } from '@millrace/shared/tasks/parse';
import type { CollectionState } from '@millrace/shared/tasks/vector/collection';
import { mismatchOf } from '@millrace/shared/tasks/vector/collection-use';
import type { ModelCheck } from './model-check.ts';

interface CollectionCheck {
  readonly door: Door;
  readonly collections: Pick<Collections, 'read'>;
  readonly models: ModelCheck;
}

/** Reads each collection once, for tasks that are looked at together: a thousand may name the same. */
export function readingOnce(collections: Pick<Collections, 'read'>): Pick<Collections, 'read'> {
  const reads = new Map<string, ReturnType<Collections['read']>>();
  return {
    read: (name) => {
      const reading = reads.get(name) ?? collections.read(name);
      reads.set(name, reading);
      return reading;
    },
  };
}

/**
 * Why a task does not suit the collection that it names; undefined when it does, or names none. The worker looks again: the
 * collection may be another by then.
 * @throws MillraceError REDIS_UNAVAILABLE.
 */
export async function collectionRefusal(check: CollectionCheck, task: ParsedTask): Promise<MillraceError | undefined> {
  const use = task.taskType.collection(task.input);
  if (use === undefined) return undefined;
  const state = await withRedis(() => check.collections.read(use.name));
  if (state === undefined) {
    const path = 'input.collection';
    const expected = 'the name of a collection';
    const remedy = `Create it first: PUT /v1/collections/${use.name}.`;
    const problems = [{ path, got: JSON.stringify(use.name), expected, remedy }];
    return new MillraceError('COLLECTION_NOT_FOUND', `There is no collection ${use.name}.`, { problems });
  }
  const mismatch = mismatchOf(use, state);
  if (mismatch === undefined) return await modelRefusal(check, task, state);
  return new MillraceError(mismatch.code, mismatch.message, { problems: mismatch.problems });
}

/** Texts need the collection's model: a task that waits for it would only fail later. */
async function modelRefusal(
  { door, models }: CollectionCheck,
  { taskType, input }: ParsedTask,
  collection: CollectionState,
): Promise<MillraceError | undefined> {
  const typeOf = (name: string) => {
    const found = door.catalog.get(name);
    if (found === undefined) throw new Error(`a child of the unknown type ${name}`);
    return found;
  };
  const preparation = taskType.prepare(input, {
    collection,
    // Nothing is written here.
    fence: { key: '', token: '' },
    limitsOf: (name) => limitsOf(door, typeOf(name)),
    outputOf: () => undefined,
  });
  // All of them work with the same model.
  const [child] = preparation.ready ? [] : preparation.children;
  return child && (await models.refusal({ taskType: typeOf(child.type), input: child.input }));
}

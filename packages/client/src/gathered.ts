import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Groups what an async iterable gives: what comes in one breath goes together, as long as `fits` says that it may. What comes
 * alone is never made to wait for more.
 */
export async function* gathered<T>(
  source: AsyncIterable<T>,
  fits: (group: readonly T[], next: T) => boolean,
): AsyncGenerator<T[], void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const ask = () => {
    const asked = Promise.resolve(iterator.next());
    // What it throws is met when it is looked at.
    asked.catch(() => {});
    return asked;
  };
  let asked = ask();
  try {
    for (let first = await asked; first.done !== true; first = await asked) {
      const group = [first.value];
      asked = ask();
      for (let next = await ready(asked); next?.done === false; next = await ready(asked)) {
        if (!fits(group, next.value)) break;
        group.push(next.value);
        asked = ask();
      }
      yield group;
    }
  } finally {
    // It may still be making the next one: nobody waits for that.
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/** What a promise gives if it does so before the event loop turns. */
async function ready<T>(promise: Promise<T>): Promise<T | undefined> {
  return await Promise.race([promise.catch(() => undefined), nextTurn(undefined)]);
}

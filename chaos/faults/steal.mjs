import { createKeys } from '@millrace/shared/redis/keys';
import { ask } from '../../scripts/redis/set.mjs';
import { prefix } from '../fleet.mjs';
import { everyKind } from './every-kind.mjs';

/** @typedef {import('../faults.mjs').Fault} Fault */

/**
 * Takes an ended task out of Redis, as a bug of Millrace might. Never struck unless it is asked for: it proves that such a loss is
 * counted as Millrace's, whatever Redis loses beside it.
 *
 * @type {Fault}
 */
export const stealTask = {
  kinds: everyKind,
  alone: true,
  async strike({ redis, calm }) {
    const keys = createKeys(prefix);
    const { url } = redis.set === undefined ? { url: redis.url } : await redis.set.master();
    const ids = await ask(url, ['ZRANGE', keys.bull('text', 'completed'), '0', '0']);
    const id = Array.isArray(ids) ? ids[0] : undefined;
    if (id === undefined || id === null || calm.aborted) return undefined;
    await ask(url, ['ZREM', keys.bull('text', 'completed'), String(id)]);
    await ask(url, ['DEL', keys.bull('text', String(id))]);
    return { target: `task ${id}`, over: Promise.resolve() };
  },
};

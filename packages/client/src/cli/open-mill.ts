import { readSettings } from '@millrace/shared/env';
import { MillraceError } from '@millrace/shared/errors';
import { loadPlugins } from '@millrace/shared/plugins';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import { type Catalog, createCatalog } from '@millrace/shared/tasks/catalog';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import { Millrace } from '../client.ts';
import { findMill, type MillAddress, type MillFlags } from './mill-address.ts';

/** A mill of any types, since their names come from a person. */
export type AnyMill = Millrace<readonly TaskType[]>;

/** A mill that a command works with. */
export interface OpenMill {
  readonly mill: AnyMill;
  readonly address: MillAddress;
  /** The types that this side knows; a mill by HTTP may have more. */
  readonly catalog: Catalog;
}

/** Opens the mill that the options and settings name, for as long as `act` takes. @throws as `act`, Refusal, MillraceError. */
export async function withMill<T>(flags: MillFlags, act: (open: OpenMill) => Promise<T>): Promise<T> {
  const address = findMill(flags);
  const { MILLRACE_PLUGINS } = readSettings(['MILLRACE_PLUGINS']);
  const { taskTypes } = await loadPlugins(MILLRACE_PLUGINS);
  const mill = connect(address, taskTypes);
  try {
    return await act({ mill, address, catalog: createCatalog(taskTypes) });
  } catch (error) {
    throw withAddress(error, address);
  } finally {
    await mill.close();
  }
}

/** Whoever hears that Redis is away wants to know which. */
function withAddress(error: unknown, { shown }: MillAddress): unknown {
  if (!(error instanceof MillraceError) || error.code !== 'REDIS_UNAVAILABLE') return error;
  return new MillraceError(error.code, `Redis does not answer at ${shown}.`, { cause: error });
}

/**
 * The workers that live; says at once when nobody answers, where the client of a long run would try for a while.
 * @throws MillraceError REDIS_UNAVAILABLE, API_UNAVAILABLE, UNAUTHORIZED, FORBIDDEN, CONFIG_INVALID.
 */
export async function workersNow({ address }: OpenMill): Promise<WorkerBeat[]> {
  const mill = connect(address, [], 0);
  try {
    return await mill.workers();
  } finally {
    await mill.close();
  }
}

function connect(address: MillAddress, taskTypes: readonly TaskType[], retryMs?: number): AnyMill {
  if (address.way === 'redis') {
    const { redisUrl, prefix } = address;
    return new Millrace({ redisUrl, prefix, taskTypes });
  }
  const { baseUrl, apiKey } = address;
  const given = { ...(apiKey === undefined ? {} : { apiKey }), ...(retryMs === undefined ? {} : { retryMs }) };
  return new Millrace({ baseUrl, ...given, taskTypes });
}

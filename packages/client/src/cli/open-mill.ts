import { MillraceError } from '@millrace/shared/errors';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Catalog } from '@millrace/shared/tasks/catalog';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import type { Millrace } from '../client.ts';
import { findMill, type MillAddress, type MillFlags } from './mill-address.ts';

/** A mill of any types, since their names come from a person. */
export type AnyMill = Millrace<readonly TaskType[]>;

/** A mill that a command works with. */
export interface OpenMill {
  readonly mill: AnyMill;
  readonly address: MillAddress;
  /** The types that this side knows; a mill by HTTP may have more. */
  readonly catalog: Catalog;
  /**
   * The workers that live; says at once when nobody answers, where the client of a long run would try for a while.
   * @throws MillraceError REDIS_UNAVAILABLE, API_UNAVAILABLE, UNAUTHORIZED, FORBIDDEN, CONFIG_INVALID.
   */
  workersNow(): Promise<WorkerBeat[]>;
}

/** How long a request to an API that is away is tried again: somebody waits for the answer; ms. */
const soonMs = 2000;
/** The same for what runs for long and is watched by `MillWatch`. */
export const patientMs = 10_000;

/** Opens the mill that the options and settings name, for as long as `act` takes. @throws as `act`, Refusal, MillraceError. */
export async function withMill<T>(flags: MillFlags, act: (open: OpenMill) => Promise<T>, retryMs = soonMs): Promise<T> {
  const address = findMill(flags);
  // Only now: the client, BullMQ and all, takes longer to load than help and mistakes take to say.
  const { openMill } = await import('./connect-mill.ts');
  const open = await openMill(address, retryMs);
  try {
    return await act(open);
  } catch (error) {
    throw withAddress(error, address);
  } finally {
    await open.mill.close();
  }
}

/** Whoever hears that Redis is away wants to know which. */
function withAddress(error: unknown, { shown }: MillAddress): unknown {
  if (!(error instanceof MillraceError) || error.code !== 'REDIS_UNAVAILABLE') return error;
  return new MillraceError(error.code, `Redis does not answer at ${shown}.`, { cause: error });
}

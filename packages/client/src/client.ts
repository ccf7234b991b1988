import { MillraceError } from '@millrace/shared/errors';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { raced } from './abortable.ts';
import { type EmbedEachOptions, type EmbedOptions, embedEach, embedTexts } from './embed.ts';
import type { EnqueueOneOptions, EnqueueOptions } from './enqueue-options.ts';
import type { InputOf, OutputOf, OwnTypes, TypeName } from './known-types.ts';
import { type MapOptions, type MapOutcome, mapTasks } from './map.ts';
import { Operator } from './operator.ts';
import { Runs } from './runs.ts';
import { Task } from './task.ts';
import type { SendOutcome, Transport } from './transport.ts';
import { HttpTransport } from './transports/http.ts';
import type { HttpAddress } from './transports/http-requests.ts';
import { type RedisAddress, RedisTransport } from './transports/redis.ts';
import { isFull, waitForRoom } from './wait-for-room.ts';

// What an app names in its own signatures.
export type { MillraceError } from '@millrace/shared/errors';
export type { TaskView } from '@millrace/shared/tasks/task';
export type { EmbedOptions } from './embed.ts';
export type { EnqueueOneOptions, EnqueueOptions } from './enqueue-options.ts';
export type { MapOptions, MapOutcome } from './map.ts';
export type { Run } from './run.ts';
export type { RunInputs } from './run-source.ts';
export type { RunOutcome, RunView } from './run-view.ts';
export type { RunOptions } from './runs.ts';
export type { Task } from './task.ts';
export type { FollowedEvent, Submission, Transport } from './transport.ts';

/** A way of one's own to a mill, such as the test double's. */
interface OwnWay {
  readonly transport: Transport;
}

/** Where a mill is: its Redis, or its API. */
export type MillraceOptions<Own extends OwnTypes = OwnTypes> = (RedisAddress | HttpAddress | OwnWay) & {
  /** Task types of one's own (`defineTaskType`), beside the built-in ones; workers and API load them as plugins. */
  readonly taskTypes?: Own;
};

/** What a Node app enqueues with. Construct one per process, and close it in the end. */
export class Millrace<const Own extends OwnTypes = readonly []> extends Operator {
  /** Piles of tasks as one object, which go on when this process has gone. By HTTP alone. */
  readonly runs: Runs<Own>;

  /** @throws MillraceError CONFIG_INVALID. */
  constructor(options: MillraceOptions<Own>) {
    super(openTransport(options));
    this.runs = new Runs(this.transport);
  }

  /**
   * Enqueues one task; when this resolves, Redis has it.
   * @throws MillraceError INVALID_INPUT with every problem at once, INPUT_TOO_LARGE, UNSUPPORTED_TASK_TYPE, MODEL_NOT_AVAILABLE,
   * COLLECTION_NOT_FOUND, COLLECTION_MISMATCH, QUEUE_FULL, IDEMPOTENCY_MISMATCH; REDIS_UNAVAILABLE (by Redis within 3 s),
   * API_UNAVAILABLE: whether it was accepted is not known; with an idempotencyKey it is safe to try again.
   */
  async enqueue<T extends TypeName<Own>>(
    type: T,
    input: InputOf<Own, T>,
    { waitForRoomMs = 0, idempotencyKey, signal, ...options }: EnqueueOneOptions = {},
  ): Promise<Task<T, OutputOf<Own, T>>> {
    const parcel = this.transport.prepare([{ ...options, type, input }], { idempotencyKey });
    return await waitForRoom({ waitMs: waitForRoomMs, signal }, async () => {
      const [outcome] = await raced(signal, () => parcel.send(signal));
      return new Task(this.transport, acceptedId(outcome), type);
    });
  }

  /**
   * Enqueues many tasks of one type in few round trips; all, or an error that says which failed first.
   * @throws MillraceError as `enqueue` does; others than the one that failed may have been accepted.
   */
  async enqueueMany<T extends TypeName<Own>>(
    type: T,
    inputs: readonly InputOf<Own, T>[],
    { waitForRoomMs = 0, signal, ...options }: EnqueueOptions = {},
  ): Promise<Task<T, OutputOf<Own, T>>[]> {
    if (inputs.length === 0) return [];
    const submissions = inputs.map((input) => ({ ...options, type, input }));
    const parcel = this.transport.prepare(submissions, {});
    return await waitForRoom({ waitMs: waitForRoomMs, signal }, async () => {
      const outcomes = await raced(signal, () => parcel.send(signal));
      // What cannot be mended by waiting comes first.
      const refused = outcomes.filter((outcome) => 'error' in outcome);
      const worst = refused.find(({ error }) => !isFull(error)) ?? refused[0];
      if (worst !== undefined) throw worst.error;
      return outcomes.map((outcome) => new Task(this.transport, acceptedId(outcome), type));
    });
  }

  /**
   * A task for each input of any iterable, sync or async: yields what became of each, in the order of the inputs, and has at most
   * `inFlight` tasks under way. The source is asked for more only as results are taken, so memory stays the same however many
   * inputs there are; what is ready is enqueued together; a full queue, or a Redis or API that is away, is waited for.
   * An input that is refused or a task that fails is an outcome. Leaving the loop, or the signal, cancels what is under way.
   * @throws MillraceError what concerns all tasks: QUEUE_FULL, REDIS_UNAVAILABLE or API_UNAVAILABLE for longer than `waitForRoomMs`,
   * UNSUPPORTED_TASK_TYPE, UNAUTHORIZED, FORBIDDEN, CLOSED; what the source throws; the reason of the signal.
   */
  map<T extends TypeName<Own>>(
    type: T,
    inputs: Iterable<InputOf<Own, T>> | AsyncIterable<InputOf<Own, T>>,
    options: MapOptions = {},
  ): AsyncGenerator<MapOutcome<InputOf<Own, T>, OutputOf<Own, T>>, void, undefined> {
    return mapTasks<InputOf<Own, T>, OutputOf<Own, T>>(this.transport, { type, inputs, options });
  }

  /**
   * The vectors of any number of texts, in order; they are split into tasks by themselves.
   * @throws MillraceError of the first text that fails, and as `map` does; the rest is cancelled.
   */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    return await embedTexts(this.transport, texts, options);
  }

  /** The same for texts that come one by one: yields a vector for each, in order, at flat memory. @throws as `embed` does. */
  embedEach(
    texts: Iterable<string> | AsyncIterable<string>,
    options: EmbedEachOptions = {},
  ): AsyncGenerator<Float32Array, void, undefined> {
    return embedEach(this.transport, texts, options);
  }

  /** A task that was enqueued elsewhere, by its id and type, to wait for or to steer; nothing is asked yet. */
  task<T extends TypeName<Own>>(id: string, type: T): Task<T, OutputOf<Own, T>> {
    return new Task(this.transport, id, type);
  }
}

function acceptedId(outcome: SendOutcome | undefined): string {
  if (outcome === undefined) throw new MillraceError('INTERNAL', 'A task was sent, and nothing came of it.');
  if ('error' in outcome) throw outcome.error;
  return outcome.id;
}

function openTransport({ taskTypes = [], ...way }: MillraceOptions): Transport {
  const ways = ['redisUrl', 'baseUrl', 'transport'].filter((name) => name in way && way[name as never] !== undefined);
  if (ways.length !== 1) {
    const got = ways.length === 0 ? 'neither' : ways.join(' and ');
    throw new MillraceError('CONFIG_INVALID', `The client got ${got}; it takes either redisUrl or baseUrl.`);
  }
  if ('transport' in way) return way.transport;
  const door = { catalog: catalogOf(taskTypes) };
  return 'redisUrl' in way ? new RedisTransport(way, door) : new HttpTransport(way, door.catalog);
}

function catalogOf(taskTypes: OwnTypes) {
  try {
    return createCatalog(taskTypes);
  } catch (error) {
    throw new MillraceError('CONFIG_INVALID', `taskTypes: ${(error as Error).message}.`, { cause: error });
  }
}

import { setPriority } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import type { CallStat, Processor } from '@millrace/shared/tasks/processor';
import { type OpenLane, openLane } from './open-lane.ts';
import type { FromLane, LaneSetup, LoadedModel, ToLane } from './protocol.ts';

/**
 * The compute process of a lane. It knows no queue: calls come in by message, outcomes go out. Of Redis only the vector lane
 * knows, which follows the change logs of collections.
 */
function main(): void {
  let ready: Promise<OpenLane> | undefined;
  process.on('message', (message: ToLane) => {
    if (message.kind === 'setup') ready ??= setUp(message.setup);
    else if (message.kind === 'stop') stops.get(message.call)?.abort();
    else if (ready !== undefined) take(message, ready);
  });
  // The worker decides when a lane ends: a Ctrl-C in the terminal reaches every process of the group.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('disconnect', () => process.exit(0));
}

/** Calls that have not ended, and how to say that they are to stop. */
const stops = new Map<number, AbortController>();

async function setUp(setup: LaneSetup): Promise<OpenLane> {
  try {
    // First, for threads that libraries start inherit it.
    setPriority(setup.nice);
    const lane = await openLane(setup, (replicas) => send({ kind: 'replicas', replicas }));
    send({ kind: 'ready', models: lane.models?.loaded ?? [], rssBytes: process.memoryUsage.rss() });
    return lane;
  } catch (error) {
    send({ kind: 'unable', message: (error as Error).message });
    throw error;
  }
}

type RunCall = Extract<ToLane, { kind: 'run' }>;

/** Calls that have not begun, in the order in which they will. */
const waiting: RunCall[] = [];
let working = false;

function take(call: RunCall, ready: Promise<OpenLane>): void {
  stops.set(call.call, new AbortController());
  if (call.ahead) waiting.unshift(call);
  else waiting.push(call);
  if (!working) void work(ready);
}

/** Computes what waits, one call after the other. */
async function work(ready: Promise<OpenLane>): Promise<void> {
  working = true;
  const lane = await ready;
  for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
    send({ kind: 'began', call: call.call });
    await compute(lane.processors, call);
    await lane.models?.endCall();
    tellModels(lane.models?.loaded ?? []);
    // What came while it computed is read first: it may go ahead. The first turn may end before anything is read.
    await turn();
    await turn();
  }
  working = false;
}

/** As they were told last. */
let told = '';

/** Says which models are loaded, when they are others than before. */
function tellModels(models: readonly LoadedModel[]): void {
  const now = JSON.stringify(models.map(({ name, fingerprint }) => `${name} ${fingerprint}`).sort());
  if (now !== told) send({ kind: 'models', models });
  told = now;
}

async function compute(processors: ReadonlyMap<string, Processor>, call: RunCall): Promise<void> {
  const beganAt = Date.now();
  const { signal } = stops.get(call.call) ?? new AbortController();
  const stats: Partial<Record<CallStat, number>> = {};
  const count = (stat: CallStat, by: number) => {
    stats[stat] = (stats[stat] ?? 0) + by;
  };
  try {
    const processor = processors.get(call.type);
    if (processor === undefined) throw new Error(`this lane has no processor for ${call.type}`);
    const outcomes = await processor.process(call.items, { count, signal });
    if (outcomes.length !== call.items.length) {
      throw new Error(`the processor of ${call.type} gave ${outcomes.length} outcomes for ${call.items.length} items`);
    }
    send({
      kind: 'done',
      call: call.call,
      outcomes,
      stats,
      beganAt,
      endedAt: Date.now(),
      rssBytes: process.memoryUsage.rss(),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    send({ kind: 'threw', call: call.call, message, rssBytes: process.memoryUsage.rss() });
  } finally {
    stops.delete(call.call);
  }
}

function send(message: FromLane): void {
  // The worker may die while this is on its way: nobody is left to be told.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

main();

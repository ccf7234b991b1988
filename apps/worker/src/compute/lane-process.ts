import { loadPlugins } from '@millrace/shared/plugins';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import type { CallStat, Processor } from '@millrace/shared/tasks/processor';
import { Models } from '../inference/models.ts';
import type { ModelRuntime } from '../inference/runtime.ts';
import { createProcessors } from '../process/processors.ts';
import type { FromLane, LaneSetup, LoadedModel, ToLane } from './protocol.ts';

/** The compute process of a lane. It knows no Redis and no queue: calls come in by message, outcomes go out. */
function main(): void {
  let ready: Promise<ReadonlyMap<string, Processor>> | undefined;
  /** Calls are computed one after the other, in the order they came. */
  let last: Promise<void> = Promise.resolve();
  process.on('message', (message: ToLane) => {
    if (message.kind === 'setup') ready ??= setUp(message.setup);
    else last = last.then(async () => run(await ready, message));
  });
  // The worker decides when a lane ends: a Ctrl-C in the terminal reaches every process of the group.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('disconnect', () => process.exit(0));
}

async function setUp(setup: LaneSetup): Promise<ReadonlyMap<string, Processor>> {
  try {
    const models = new Models(await createRuntime(setup));
    const loaded = setup.family === 'inference' ? [await warm(models)] : [];
    const { processors } = await loadPlugins(setup.plugins);
    send({ kind: 'ready', models: loaded, rssBytes: process.memoryUsage.rss() });
    return createProcessors({ models, passTokens: setup.passTokens }, processors);
  } catch (error) {
    send({ kind: 'unable', message: (error as Error).message });
    throw error;
  }
}

/** The library of models is loaded by the lanes that need it alone: it takes 80 MB and half a second. */
async function createRuntime({ family, modelsDir, threads }: LaneSetup): Promise<ModelRuntime> {
  if (family !== 'inference') {
    return {
      loadEmbedder: async () => {
        throw new Error(`a ${family} lane has no models`);
      },
    };
  }
  const { transformersRuntime } = await import('../inference/runtimes/transformers.ts');
  return transformersRuntime({ modelsDir, threads });
}

/** Loads the bundled model and runs it once, so that the first task does not pay for it. */
async function warm(models: Models): Promise<LoadedModel> {
  const embedder = await models.embedder(bundledModel);
  await embedder.embed([embedder.tokenize('warm')]);
  return { name: bundledModel, fingerprint: embedder.fingerprint(true) };
}

async function run(
  processors: ReadonlyMap<string, Processor> | undefined,
  call: Extract<ToLane, { kind: 'run' }>,
): Promise<void> {
  const beganAt = Date.now();
  const stats: Partial<Record<CallStat, number>> = {};
  const count = (stat: CallStat, by: number) => {
    stats[stat] = (stats[stat] ?? 0) + by;
  };
  try {
    const processor = processors?.get(call.type);
    if (processor === undefined) throw new Error(`this lane has no processor for ${call.type}`);
    const outcomes = await processor.process(call.items, { count });
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
    send({ kind: 'threw', call: call.call, message: error instanceof Error ? error.message : String(error) });
  }
}

function send(message: FromLane): void {
  // The worker may die while this is on its way: nobody is left to be told.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

main();

import { createLogger } from '@millrace/shared/logger';
import { loadPlugins } from '@millrace/shared/plugins';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import type { CallStat, Processor } from '@millrace/shared/tasks/processor';
import { Models } from '../inference/models.ts';
import type { ModelRuntime } from '../inference/runtime.ts';
import { listModels } from '../models/list-models.ts';
import { Tokenizers } from '../models/tokenizers.ts';
import { createProcessors } from '../process/processors.ts';
import type { VectorSide } from '../vector/vector-side.ts';
import type { FromLane, LaneSetup, LoadedModel, ToLane } from './protocol.ts';

/**
 * The compute process of a lane. It knows no queue: calls come in by message, outcomes go out. Of Redis only the vector lane
 * knows, which follows the change logs of collections.
 */
function main(): void {
  let ready: Promise<Lane> | undefined;
  /** Calls are computed one after the other, in the order they came. */
  let last: Promise<void> = Promise.resolve();
  process.on('message', (message: ToLane) => {
    if (message.kind === 'setup') ready ??= setUp(message.setup);
    else if (message.kind === 'stop') stops.get(message.call)?.abort();
    else {
      stops.set(message.call, new AbortController());
      last = last.then(async () => run(await ready, message));
    }
  });
  // The worker decides when a lane ends: a Ctrl-C in the terminal reaches every process of the group.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('disconnect', () => process.exit(0));
}

/** Calls that have not ended, and how to say that they are to stop. */
const stops = new Map<number, AbortController>();

/** What calls are computed by. */
interface Lane {
  readonly models: Models;
  readonly processors: ReadonlyMap<string, Processor>;
}

async function setUp(setup: LaneSetup): Promise<Lane> {
  try {
    const { modelsDir, modelMemory: memoryLimit } = setup;
    const models = new Models({ runtime: await createRuntime(setup), modelsDir, memoryLimit, now: Date.now });
    if (setup.family === 'inference') await warm(models, modelsDir);
    const { loaded } = models;
    const { processors } = await loadPlugins(setup.plugins);
    const vector = setup.family === 'vector' ? await openVector(setup) : undefined;
    send({ kind: 'ready', models: loaded, rssBytes: process.memoryUsage.rss() });
    const tokenizers = new Tokenizers(modelsDir);
    const services = { models, tokenizers, passTokens: setup.passTokens, vector: () => required(vector) };
    return { models, processors: createProcessors(services, processors) };
  } catch (error) {
    send({ kind: 'unable', message: (error as Error).message });
    throw error;
  }
}

/** The library of models is loaded by the lanes that need it alone: it takes 80 MB and half a second. */
async function createRuntime({ family, modelsDir, threads }: LaneSetup): Promise<ModelRuntime> {
  if (family !== 'inference') {
    const none = async () => {
      throw new Error(`a ${family} lane has no models`);
    };
    return { loadEmbedder: none, loadClassifier: none, loadPipeline: none };
  }
  const { transformersRuntime } = await import('../inference/runtimes/transformers.ts');
  return transformersRuntime({ modelsDir, threads });
}

/** Its replicas are loaded before it takes calls, and what they are like is told once a second. */
async function openVector({ vector, logLevel }: LaneSetup): Promise<VectorSide> {
  const { openVectorSide } = await import('../vector/vector-side.ts');
  const side = await openVectorSide(vector, createLogger({ name: 'vector-lane', level: logLevel }));
  setInterval(() => send({ kind: 'replicas', replicas: side.beats() }), 1000);
  return side;
}

function required(vector: VectorSide | undefined): VectorSide {
  if (vector === undefined) throw new Error('this lane has no collections');
  return vector;
}

/** Loads the bundled model and runs it once, so that the first task does not pay for it; not where only other models are. */
async function warm(models: Models, modelsDir: string): Promise<void> {
  if (!(await listModels(modelsDir)).some(({ name }) => name === bundledModel)) return;
  const embedder = await models.embedder(bundledModel);
  await embedder.embed([embedder.tokenize('warm')]);
  await models.endCall();
}

async function run(lane: Lane | undefined, call: Extract<ToLane, { kind: 'run' }>): Promise<void> {
  await compute(lane?.processors, call);
  await lane?.models.endCall();
  tellModels(lane?.models.loaded ?? []);
}

/** As they were told last. */
let told = '';

/** Says which models are loaded, when they are others than before. */
function tellModels(models: readonly LoadedModel[]): void {
  const now = JSON.stringify(models.map(({ name, fingerprint }) => `${name} ${fingerprint}`).sort());
  if (now !== told) send({ kind: 'models', models });
  told = now;
}

async function compute(
  processors: ReadonlyMap<string, Processor> | undefined,
  call: Extract<ToLane, { kind: 'run' }>,
): Promise<void> {
  const beganAt = Date.now();
  const { signal } = stops.get(call.call) ?? new AbortController();
  const stats: Partial<Record<CallStat, number>> = {};
  const count = (stat: CallStat, by: number) => {
    stats[stat] = (stats[stat] ?? 0) + by;
  };
  try {
    const processor = processors?.get(call.type);
    if (processor === undefined) throw new Error(`this lane has no processor for ${call.type}`);
    const outcomes = await processor.process(call.items, { count, signal });
    stops.delete(call.call);
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
  }
}

function send(message: FromLane): void {
  // The worker may die while this is on its way: nobody is left to be told.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

main();

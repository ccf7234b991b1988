import { createLogger } from '@millrace/shared/logger';
import { loadPlugins } from '@millrace/shared/plugins';
import type { ReplicaBeat } from '@millrace/shared/redis/workers';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import type { Processor } from '@millrace/shared/tasks/processor';
import type { Models } from '../inference/models.ts';
import { listModels } from '../models/list-models.ts';
import type { LaneSetup } from './protocol.ts';

/** What calls are computed by. */
export interface OpenLane {
  readonly processors: ReadonlyMap<string, Processor>;
  /** The models of an inference lane. */
  readonly models: Models | undefined;
}

type FamilyLane = Pick<OpenLane, 'models'> & { readonly processors: object };

/**
 * Opens what a lane works with. Each family is loaded by the lanes that need it alone: the library of models takes 80 MB and half a
 * second, those of texts and phone numbers have their weight too. `tellReplicas` is called once a second in a vector lane.
 */
export async function openLane(
  setup: LaneSetup,
  tellReplicas: (replicas: readonly ReplicaBeat[]) => void,
): Promise<OpenLane> {
  const { processors: others } = await loadPlugins(setup.plugins);
  const { models, processors } = await openFamily(setup, tellReplicas);
  // The type of a call names its processor, and the batcher never mixes types: items are what the processor expects.
  const builtin = Object.entries(processors as Record<string, Processor>);
  return {
    models,
    processors: new Map([...builtin, ...others.map((other): [string, Processor] => [other.type, other])]),
  };
}

async function openFamily(setup: LaneSetup, tellReplicas: Parameters<typeof openLane>[1]): Promise<FamilyLane> {
  switch (setup.family) {
    case 'inference':
      return await openInference(setup);
    case 'text':
      return await openText(setup);
    case 'vector':
      return await openVector(setup, tellReplicas);
  }
}

async function openInference({ modelsDir, modelMemory, threads, passTokens }: LaneSetup): Promise<FamilyLane> {
  const { Models } = await import('../inference/models.ts');
  const { inferenceProcessors } = await import('../inference/processors.ts');
  const { transformersRuntime } = await import('../inference/runtimes/transformers.ts');
  const runtime = transformersRuntime({ modelsDir, threads });
  const models = new Models({ runtime, modelsDir, memoryLimit: modelMemory, now: Date.now });
  await warm(models, modelsDir);
  return { models, processors: inferenceProcessors({ models, passTokens }) };
}

async function openText({ modelsDir }: LaneSetup): Promise<FamilyLane> {
  const { Tokenizers } = await import('../models/tokenizers.ts');
  const { textProcessors } = await import('../text/processors.ts');
  return { models: undefined, processors: textProcessors(new Tokenizers(modelsDir)) };
}

/** Its replicas are loaded before it takes calls. */
async function openVector(
  { vector, logLevel }: LaneSetup,
  tellReplicas: (replicas: readonly ReplicaBeat[]) => void,
): Promise<FamilyLane> {
  const { openVectorSide } = await import('../vector/vector-side.ts');
  const { vectorProcessors } = await import('../vector/processors.ts');
  const side = await openVectorSide(vector, createLogger({ name: 'vector-lane', level: logLevel }));
  setInterval(() => tellReplicas(side.beats()), 1000);
  return { models: undefined, processors: vectorProcessors(side) };
}

/** Loads the bundled model and runs it once, so that the first task does not pay for it; not where only other models are. */
async function warm(models: Models, modelsDir: string): Promise<void> {
  if (!(await listModels(modelsDir)).some(({ name }) => name === bundledModel)) return;
  const embedder = await models.embedder(bundledModel);
  await embedder.embed([embedder.tokenize('warm')]);
  await models.endCall();
}

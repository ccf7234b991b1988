import { createCatalog, taskTypesOf } from '@millrace/shared/tasks/catalog';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import type { Processor } from '@millrace/shared/tasks/processor';
import { afterAll } from 'vitest';
import { Models } from '../../apps/worker/src/inference/models.ts';
import { inferenceProcessors } from '../../apps/worker/src/inference/processors.ts';
import { transformersRuntime } from '../../apps/worker/src/inference/runtimes/transformers.ts';
import { Tokenizers } from '../../apps/worker/src/models/tokenizers.ts';
import { textProcessors } from '../../apps/worker/src/text/processors.ts';
import { linkAllModels } from '../setup/model-folders.ts';
import { describeProcessor } from './processor.ts';

const folders = linkAllModels();
afterAll(() => folders.remove());

const runtime = transformersRuntime({ modelsDir: folders.dir, threads: 1 });
const models = new Models({ runtime, modelsDir: folders.dir, memoryLimit: 2 ** 30, now: Date.now });
const processors = new Map<string, Processor>(
  Object.entries({
    ...inferenceProcessors({ models, passTokens: 512 }),
    ...textProcessors(new Tokenizers(folders.dir)),
  } as unknown as Record<string, Processor>),
);

const noModel = { model: 'no-such-model' };
/** Inputs that pass the schema and cannot be computed; a type that can compute whatever its schema lets pass has none. */
const bad: Record<string, readonly unknown[]> = {
  'inference.embed': [{ texts: ['a'], ...noModel }],
  'inference.classify': [{ texts: ['a'], labels: ['b', 'c'], ...noModel }],
  'inference.rerank': [{ query: 'a', documents: ['b'], ...noModel }],
  'inference.pipeline': [{ pipeline: 'feature-extraction', inputs: ['a'], ...noModel }],
  'text.chunk': [{ texts: ['a'], ...noModel }],
  // Deeper than any stack.
  'text.clean': [{ texts: ['>'.repeat(50_000)], format: 'markdown' }],
};

/**
 * Models whose vectors do not depend on their batch give the same to the last bit; the others, of float32, differ in the last
 * bits by how far their batch is padded.
 */
const tolerances: Record<string, number> = { 'inference.pipeline': 1e-4 };

const catalog = createCatalog();
// Those of the vector family work on collections in Redis; test/promises holds them to theirs.
for (const taskType of [...taskTypesOf(catalog, 'text'), ...taskTypesOf(catalog, 'inference')]) {
  describeProcessor(taskType.type, {
    taskType,
    processor: async () => processorOf(taskType),
    inputOf: (texts) => withTexts(taskType, texts),
    bad: bad[taskType.type] ?? [],
    tolerance: tolerances[taskType.type] ?? 0,
  });
}

function processorOf({ type }: TaskType): Processor {
  const processor = processors.get(type);
  if (processor === undefined) throw new Error(`${type} has no processor`);
  return processor;
}

/** The example of the type with other texts: whatever list of texts it has, by the names that such a field has here. */
function withTexts({ type, example }: TaskType, texts: readonly string[]): unknown {
  const input = example as Record<string, unknown>;
  const field = ['texts', 'documents', 'inputs'].find((name) => Array.isArray(input[name]));
  if (field === undefined) throw new Error(`the example of ${type} has no list of texts`);
  return { ...input, [field]: texts };
}

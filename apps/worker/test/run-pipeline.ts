import { fileURLToPath } from 'node:url';
import { type PipelineValue, pipeline } from '@millrace/shared/tasks/inference/pipeline';
import type { PipelineTask } from '@millrace/shared/tasks/inference/pipeline-variants';
import type { CallStat, ItemOutcome } from '@millrace/shared/tasks/processor';
import { Models } from '../src/inference/models.ts';
import { pipelineProcessor } from '../src/inference/pipeline.ts';
import { transformersRuntime } from '../src/inference/runtimes/transformers.ts';

/** The tiny models of the tests. */
export const tinyModels = fileURLToPath(new URL('../../../test/models', import.meta.url));

/** What became of a call, and what it counted. */
interface CallReport {
  readonly outcomes: readonly ItemOutcome<PipelineValue>[];
  readonly paddedTokens: number;
  readonly realTokens: number;
  /** Forward passes, or runs of a pipeline that does not batch. */
  readonly passes: number;
}

export type Runner = ReturnType<typeof pipelineRunner>;

/** Runs tasks as a lane does, all items of one in one call. */
export function pipelineRunner(modelsDir = tinyModels, passTokens = 512) {
  const runtime = transformersRuntime({ modelsDir, threads: 1 });
  const models = new Models({ runtime, modelsDir, memoryLimit: 2 ** 30, now: Date.now });
  const processor = pipelineProcessor({ models, passTokens });
  const call = async (task: PipelineTask): Promise<CallReport> => {
    const counts = { realTokens: 0, paddedTokens: 0, passes: 0 };
    const count = (stat: CallStat, by: number) => {
      counts[stat] += by;
      if (stat === 'paddedTokens') counts.passes += 1;
    };
    const outcomes = await processor.process(pipeline.items(pipeline.input.parse(task)), {
      signal: new AbortController().signal,
      count,
    });
    return { outcomes, ...counts };
  };
  /** The output of a task whose items all succeed. */
  const run = async (task: PipelineTask) => {
    const values = (await call(task)).outcomes.map((outcome) => {
      if (outcome.ok) return outcome.value;
      throw new Error(`${outcome.code}: ${outcome.message}`);
    });
    return pipeline.output.parse(pipeline.join(values, task));
  };
  return { call, run };
}

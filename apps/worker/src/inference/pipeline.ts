import { toMillraceError } from '@millrace/shared/errors';
import { type PipelineItem, type PipelineValue, pipeline } from '@millrace/shared/tasks/inference/pipeline';
import {
  type CallContext,
  defineProcessor,
  failed,
  type ItemOutcome,
  type Processor,
  succeeded,
} from '@millrace/shared/tasks/processor';
import type { Models } from './models.ts';
import { planPasses } from './plan-passes.ts';
import type { PipelineReading, TextPipeline } from './runtime.ts';

interface PipelineParams {
  readonly models: Models;
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
}

/** Runs a pipeline of transformers.js: several inputs in a pass where it batches, one by one where it does not. */
export function pipelineProcessor({ models, passTokens }: PipelineParams): Processor<PipelineItem, PipelineValue> {
  return defineProcessor(pipeline, {
    process: async (items, context) => {
      const [first] = items;
      if (first === undefined) return [];
      let loaded: TextPipeline;
      try {
        // The batch key names pipeline, model and options: all items of a call have the same.
        loaded = await models.pipeline(first.pipeline, first.model);
      } catch (error) {
        const { code, message } = toMillraceError(error);
        return items.map(() => failed(code, message));
      }
      return await new PipelineCall(loaded, { passTokens, context }).run(items);
    },
  });
}

interface CallParams {
  readonly passTokens: number;
  readonly context: CallContext;
}

/** An item that can be run, and how its pipeline reads it. */
interface Readable {
  readonly item: PipelineItem;
  readonly reading: PipelineReading;
  /** Its place in the call. */
  readonly index: number;
}

/** One call through a loaded pipeline. */
class PipelineCall {
  private readonly pipeline: TextPipeline;
  private readonly params: CallParams;
  private readonly outcomes: ItemOutcome<PipelineValue>[] = [];

  constructor(loaded: TextPipeline, params: CallParams) {
    this.pipeline = loaded;
    this.params = params;
  }

  async run(items: readonly PipelineItem[]): Promise<readonly ItemOutcome<PipelineValue>[]> {
    const readable = items.flatMap((item, index) => this.read(item, index) ?? []);
    for (const pass of this.passes(readable)) await this.runPass(pass);
    return this.outcomes;
  }

  /** Undefined when it is known before that the item cannot be run: that is its outcome. */
  private read(item: PipelineItem, index: number): Readable | undefined {
    const reading = this.pipeline.read(item.input, item.options);
    if (reading.problem === undefined) return { item, reading, index };
    this.outcomes[index] = failed('INVALID_INPUT', `${item.pipeline} by ${item.model}: ${reading.problem}`);
    return undefined;
  }

  /** In passes of like lengths; a pipeline that does not batch has one for each. */
  private passes(readable: readonly Readable[]): Readable[][] {
    if (!this.pipeline.batches) return readable.map((one) => [one]);
    const lengths = readable.map(({ reading }) => reading.reads);
    return planPasses(lengths, this.params.passTokens).map((pass) => pass.map((place) => readable[place] as Readable));
  }

  /** A pass that throws is made again item by item, so that the one at fault fails alone. */
  private async runPass(pass: readonly Readable[]): Promise<void> {
    try {
      await this.compute(pass);
    } catch (error) {
      const [only] = pass;
      if (pass.length > 1) for (const one of pass) await this.runPass([one]);
      else if (only !== undefined) this.outcomes[only.index] = failed('PROCESSOR_FAILED', (error as Error).message);
    }
  }

  private async compute(pass: readonly Readable[]): Promise<void> {
    const inputs = pass.map(({ item }) => item.input);
    const outputs = await this.pipeline.run(inputs, pass[0]?.item.options ?? {});
    if (outputs.length !== pass.length) {
      throw new Error(`the pipeline gave ${outputs.length} outputs for ${pass.length} inputs`);
    }
    const lengths = pass.map(({ reading }) => reading.reads);
    this.params.context.count(
      'realTokens',
      lengths.reduce((sum, length) => sum + length, 0),
    );
    this.params.context.count('paddedTokens', lengths.length * Math.max(...lengths));
    pass.forEach(({ index, reading }, place) => {
      const { tokens, reads } = reading;
      const fingerprint = this.pipeline.fingerprint();
      this.outcomes[index] = succeeded({ output: outputs[place], tokens, truncated: reads < tokens, fingerprint });
    });
  }
}

import type { BuiltinType, builtinTaskTypes } from '@millrace/shared/tasks/catalog';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import type { Processor, TypedProcessor } from '@millrace/shared/tasks/processor';
import { embedProcessor } from '../inference/embed.ts';
import type { Models } from '../inference/models.ts';
import { cleanProcessor } from '../text/clean.ts';

/** What a lane offers to the processors that it makes. */
export interface LaneServices {
  readonly models: Models;
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
}

type ProcessorOf<T> =
  T extends TaskType<infer _Input, infer _Output, infer Item, infer Value> ? Processor<Item, Value> : never;
type Processors = { readonly [T in BuiltinType]: ProcessorOf<(typeof builtinTaskTypes)[T]> };

/** The processor of every built-in type: a type without one does not compile. */
export function createProcessors(
  { models, passTokens }: LaneServices,
  others: readonly TypedProcessor[],
): ReadonlyMap<string, Processor> {
  const processors: Processors = {
    'inference.embed': embedProcessor({ models, passTokens }),
    'text.clean': cleanProcessor,
  };
  // The type of a call names its processor, and the batcher never mixes types: items are what the processor expects.
  const builtin = Object.entries(processors as unknown as Record<string, Processor>);
  return new Map([...builtin, ...others.map((processor): [string, Processor] => [processor.type, processor])]);
}

import type { BuiltinType, builtinTaskTypes } from '@millrace/shared/tasks/catalog';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import type { Processor, TypedProcessor } from '@millrace/shared/tasks/processor';
import { classifyProcessor } from '../inference/classify.ts';
import { embedProcessor } from '../inference/embed.ts';
import type { Models } from '../inference/models.ts';
import { pipelineProcessor } from '../inference/pipeline.ts';
import { rerankProcessor } from '../inference/rerank.ts';
import type { Tokenizers } from '../models/tokenizers.ts';
import { analyzeProcessor } from '../text/analyze.ts';
import { chunkProcessor } from '../text/chunk.ts';
import { cleanProcessor } from '../text/clean.ts';
import { deduplicateProcessor } from '../text/deduplicate.ts';
import { redactProcessor } from '../text/redact.ts';
import { summarizeProcessor } from '../text/summarize.ts';
import { deleteProcessor } from '../vector/delete.ts';
import { documentsProcessor } from '../vector/documents.ts';
import { searchProcessor } from '../vector/search.ts';
import { upsertProcessor } from '../vector/upsert.ts';
import type { VectorSide } from '../vector/vector-side.ts';

/** What a lane offers to the processors that it makes. */
export interface LaneServices {
  /** Of the vector lane alone. */
  readonly vector: () => VectorSide;
  readonly models: Models;
  readonly tokenizers: Tokenizers;
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
}

type ProcessorOf<T> =
  T extends TaskType<infer _Input, infer _Output, infer Item, infer Value> ? Processor<Item, Value> : never;
type Processors = { readonly [T in BuiltinType]: ProcessorOf<(typeof builtinTaskTypes)[T]> };

/** The processor of every built-in type: a type without one does not compile. */
export function createProcessors(
  { models, tokenizers, passTokens, vector }: LaneServices,
  others: readonly TypedProcessor[],
): ReadonlyMap<string, Processor> {
  const processors: Processors = {
    'inference.embed': embedProcessor({ models, passTokens }),
    'inference.classify': classifyProcessor({ models, passTokens }),
    'inference.rerank': rerankProcessor({ models, passTokens }),
    'inference.pipeline': pipelineProcessor({ models, passTokens }),
    'text.analyze': analyzeProcessor,
    'text.chunk': chunkProcessor(tokenizers),
    'text.clean': cleanProcessor,
    'text.deduplicate': deduplicateProcessor,
    'text.redact': redactProcessor,
    'text.summarize': summarizeProcessor,
    'vector.upsert': upsertProcessor(vector),
    'vector.documents': documentsProcessor(vector),
    'vector.delete': deleteProcessor(vector),
    'vector.search': searchProcessor(() => vector().replicas),
  };
  // The type of a call names its processor, and the batcher never mixes types: items are what the processor expects.
  const builtin = Object.entries(processors as unknown as Record<string, Processor>);
  return new Map([...builtin, ...others.map((processor): [string, Processor] => [processor.type, processor])]);
}

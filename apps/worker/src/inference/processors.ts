import type { ProcessorsOf } from '../process/processors-of.ts';
import { classifyProcessor } from './classify.ts';
import { embedProcessor } from './embed.ts';
import type { Models } from './models.ts';
import { pipelineProcessor } from './pipeline.ts';
import { rerankProcessor } from './rerank.ts';

interface InferenceServices {
  readonly models: Models;
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
}

/** The processors of the inference family. */
export function inferenceProcessors(services: InferenceServices): ProcessorsOf<'inference'> {
  return {
    'inference.embed': embedProcessor(services),
    'inference.classify': classifyProcessor(services),
    'inference.rerank': rerankProcessor(services),
    'inference.pipeline': pipelineProcessor(services),
  };
}

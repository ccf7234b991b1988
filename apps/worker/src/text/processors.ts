import type { Tokenizers } from '../models/tokenizers.ts';
import type { ProcessorsOf } from '../process/processors-of.ts';
import { analyzeProcessor } from './analyze.ts';
import { chunkProcessor } from './chunk.ts';
import { cleanProcessor } from './clean.ts';
import { deduplicateProcessor } from './deduplicate.ts';
import { redactProcessor } from './redact.ts';
import { summarizeProcessor } from './summarize.ts';

/** The processors of the text family. */
export function textProcessors(tokenizers: Tokenizers): ProcessorsOf<'text'> {
  return {
    'text.analyze': analyzeProcessor,
    'text.chunk': chunkProcessor(tokenizers),
    'text.clean': cleanProcessor,
    'text.deduplicate': deduplicateProcessor,
    'text.redact': redactProcessor,
    'text.summarize': summarizeProcessor,
  };
}

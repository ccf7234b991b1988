import { toMillraceError } from '@millrace/shared/errors';
import { defineProcessor, failed, type Processor, succeeded } from '@millrace/shared/tasks/processor';
import { type ChunkItem, type ChunkValue, chunk, defaultMaxTokens } from '@millrace/shared/tasks/text/chunk';
import type { TokenCounter, Tokenizers } from '../models/tokenizers.ts';
import { chunkText } from './chunk/chunker.ts';

/** Cuts texts into chunks that a model reads whole, counted by its own tokenizer. */
export function chunkProcessor(tokenizers: Tokenizers): Processor<ChunkItem, ChunkValue> {
  return defineProcessor(chunk, {
    process: async (items) => {
      // The batch key is the model: all items of a call name the same.
      const model = items[0]?.model ?? '';
      let counter: TokenCounter;
      try {
        counter = await tokenizers.open(model);
      } catch (error) {
        const { code, message } = toMillraceError(error);
        return items.map(() => failed(code, message));
      }
      return items.map((item) => succeeded(chunkItem(item, counter)));
    },
  });
}

function chunkItem({ text, maxTokens, overlapTokens }: ChunkItem, counter: TokenCounter): ChunkValue {
  const readable = Math.max(counter.frameTokens + 1, counter.readableTokens);
  const most = maxTokens ?? Math.min(defaultMaxTokens, readable);
  // The door has checked it against the default; a model that reads less makes it less.
  const overlap = Math.min(overlapTokens, Math.floor((most - 1) / 2));
  const chunks = chunkText(text, counter, { maxTokens: most, overlapTokens: overlap });
  return { chunks, model: counter.model, tokenizer: counter.fingerprint };
}

import { toMillraceError } from '@millrace/shared/errors';
import { type EmbedItem, type EmbedValue, embed } from '@millrace/shared/tasks/inference/embed';
import { defineProcessor, failed, type ItemOutcome, type Processor, succeeded } from '@millrace/shared/tasks/processor';
import { embedTexts } from './embed-texts.ts';
import type { Models } from './models.ts';
import type { PassCall } from './run-passes.ts';
import type { Embedder } from './runtime.ts';
import { normalized } from './unit-vectors.ts';

interface EmbedParams {
  readonly models: Models;
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
}

/** Embeds the texts of a call in as few padded tokens as they allow. */
export function embedProcessor({ models, passTokens }: EmbedParams): Processor<EmbedItem, EmbedValue> {
  return defineProcessor(embed, {
    process: async (items, context) => {
      // The batch key is the model: all items of a call name the same.
      const model = items[0]?.model ?? '';
      let embedder: Embedder;
      try {
        embedder = await models.embedder(model);
      } catch (error) {
        const { code, message } = toMillraceError(error);
        return items.map(() => failed(code, message));
      }
      return await embedItems(embedder, items, { passTokens, context });
    },
  });
}

async function embedItems(
  embedder: Embedder,
  items: readonly EmbedItem[],
  call: PassCall,
): Promise<ItemOutcome<EmbedValue>[]> {
  const embedded = await embedTexts(embedder, items, call);
  return embedded.map(({ vector, tokens, truncated }, index) => {
    const normalize = items[index]?.normalize ?? embedder.normalize;
    return succeeded({
      vector: normalize ? normalized(vector) : vector,
      tokens,
      truncated,
      model: embedder.model,
      fingerprint: embedder.fingerprint(normalize),
    });
  });
}

import { toMillraceError } from '@millrace/shared/errors';
import { type EmbedItem, type EmbedValue, embed } from '@millrace/shared/tasks/inference/embed';
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
import type { Embedder, TokenizedText } from './runtime.ts';

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

interface EmbedCall {
  readonly passTokens: number;
  readonly context: CallContext;
}

async function embedItems(
  embedder: Embedder,
  items: readonly EmbedItem[],
  { passTokens, context }: EmbedCall,
): Promise<ItemOutcome<EmbedValue>[]> {
  const texts = items.map(({ text }) => embedder.tokenize(text));
  const lengths = texts.map(({ ids }) => ids.length);
  const outcomes: ItemOutcome<EmbedValue>[] = [];
  for (const pass of planPasses(lengths, passTokens)) {
    const inPass = pass.map((index) => texts[index] as TokenizedText);
    const vectors = await embedder.embed(inPass);
    count(context, inPass);
    pass.forEach((index, row) => {
      const vector = vectors.subarray(row * embedder.dimensions, (row + 1) * embedder.dimensions);
      outcomes[index] = succeeded(
        toValue(embedder, items[index] as EmbedItem, { text: texts[index] as TokenizedText, vector }),
      );
    });
  }
  return outcomes;
}

function toValue(
  embedder: Embedder,
  item: EmbedItem,
  { text, vector }: { text: TokenizedText; vector: Float32Array },
): EmbedValue {
  return {
    vector: item.normalize ? normalized(vector) : vector,
    tokens: text.tokens,
    truncated: text.truncated,
    model: embedder.model,
    fingerprint: embedder.fingerprint(item.normalize),
  };
}

/** The vector at length 1, summed in double precision; a vector of zeros stays as it is. */
function normalized(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const norm = Math.sqrt(sum);
  return norm === 0 ? vector : vector.map((value) => value / norm);
}

function count(context: CallContext, pass: readonly TokenizedText[]): void {
  const lengths = pass.map(({ ids }) => ids.length);
  context.count(
    'realTokens',
    lengths.reduce((sum, length) => sum + length, 0),
  );
  context.count('paddedTokens', lengths.length * Math.max(...lengths));
}

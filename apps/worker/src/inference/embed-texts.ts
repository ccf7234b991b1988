import type { Purpose } from '@millrace/shared/tasks/inference/embed';
import { type PassCall, runPasses } from './run-passes.ts';
import type { Embedder } from './runtime.ts';

/** A text, and what its vector is for, if a model is to tell. */
interface TextToEmbed {
  readonly text: string;
  readonly purpose?: Purpose | undefined;
}

/** A text's vector as the model gives it, and what the model read of the text. */
export interface EmbeddedText {
  readonly vector: Float32Array;
  readonly tokens: number;
  readonly truncated: boolean;
}

/** Embeds texts, in order: what shares their passes makes no difference to their vectors. */
export async function embedTexts(
  embedder: Embedder,
  texts: readonly TextToEmbed[],
  call: PassCall,
): Promise<EmbeddedText[]> {
  const read = texts.map(({ text, purpose }) => embedder.tokenize(text, purpose));
  const network = { batches: embedder.batches, compute: embedder.embed.bind(embedder) };
  const vectors = await runPasses(network, read, call);
  return read.map(({ tokens, truncated }, index) => ({ vector: vectors[index] as Float32Array, tokens, truncated }));
}

import { z } from 'zod';
import { estimateTokens } from '../estimate-tokens.ts';
import { bundledModel, embeddingTokenLimit } from './embed.ts';

/** A text that a model is to read; one without any letter or sign says nothing, and is refused. */
export const givenText = z.string().refine((text) => text.trim() !== '', { error: 'a text that is not empty' });

/** What models other than the bundled one are expected to read of a text, in tokens; their folder has the limit. */
const otherTokenLimit = 512;

/** About how many tokens of a text a model reads. */
export function estimateRead(text: string, model: string): number {
  return estimateTokens(text, model === bundledModel ? embeddingTokenLimit : otherTokenLimit);
}

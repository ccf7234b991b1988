import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AutoTokenizer, env } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../src/tasks/estimate-tokens.ts';

const sentences = readFileSync(new URL('../../../examples/data/sentences.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');

describe('The estimate of tokens', () => {
  it('is within 10 % for most real sentences, and right on the whole', async () => {
    env.allowRemoteModels = false;
    env.localModelPath = fileURLToPath(new URL('../../../models', import.meta.url));
    const tokenizer = await AutoTokenizer.from_pretrained('all-MiniLM-L6-v2');
    const pairs = sentences.map((text) => ({
      real: tokenizer.encode(text).length,
      estimate: estimateTokens(text, 256),
    }));
    const close = pairs.filter(({ real, estimate }) => Math.abs(estimate - real) <= Math.max(2, real * 0.1));
    const sum = (key: 'real' | 'estimate') => pairs.reduce((total, pair) => total + pair[key], 0);
    expect(sum('estimate') / sum('real')).toBeGreaterThan(0.95);
    expect(sum('estimate') / sum('real')).toBeLessThan(1.05);
    expect(close.length / pairs.length).toBeGreaterThan(0.75);
  });

  it('is bounded, whatever the text', () => {
    expect(estimateTokens('', 256)).toBe(2);
    expect(estimateTokens('a'.repeat(1_000_000), 256)).toBe(256);
    expect(estimateTokens('水'.repeat(50), 256)).toBe(52);
  });
});

import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { AutoModel, AutoTokenizer, env, mean_pooling } from '@huggingface/transformers';

/** A prefix of a test's own in the Redis that all share. */
export function ownPrefix(): string {
  return `{test-${randomBytes(4).toString('hex')}}`;
}

/** The cosine of two vectors. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let normA = 0;
  let normB = 0;
  for (let index = 0; index < a.length; index += 1) {
    const left = a[index] ?? 0;
    const right = b[index] ?? 0;
    dot += left * right;
    normA += left * left;
    normB += right * right;
  }
  return dot / Math.sqrt(normA * normB);
}

/** The bundled model as transformers.js itself runs it, one text at a time: what every vector is held against. */
export async function directModel(): Promise<(text: string) => Promise<Float32Array>> {
  env.allowRemoteModels = false;
  env.localModelPath = fileURLToPath(new URL('../../models', import.meta.url));
  const tokenizer = await AutoTokenizer.from_pretrained('all-MiniLM-L6-v2');
  const network = await AutoModel.from_pretrained('all-MiniLM-L6-v2', { dtype: 'q8' });
  return async (text) => {
    const inputs = tokenizer(text);
    const { last_hidden_state } = await network(inputs);
    return mean_pooling(last_hidden_state, inputs.attention_mask).normalize(2, -1).data as Float32Array;
  };
}

/** Texts of very different lengths, up to about 240 tokens, made of a few sentences. */
export function mixedTexts(count: number): string[] {
  const sentences = [
    'The wheel turns as long as the water runs.',
    'A queue that loses work is worse than none.',
    'Nobody could say where the river began, nor how deep it was below the bridge.',
    'She counted the sacks twice and wrote the number on the door.',
    'Prices of grain rose again in the spring, as they do when the roads are bad.',
  ];
  return Array.from({ length: count }, (_, index) => {
    const repeats = 1 + ((index * 7) % 17);
    const words = Array.from({ length: repeats }, (_, at) => sentences[(index + at) % sentences.length]);
    return `${index}: ${words.join(' ')}`;
  });
}

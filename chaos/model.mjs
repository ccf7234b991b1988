import { fileURLToPath } from 'node:url';
import { AutoModel, AutoTokenizer, env, mean_pooling } from '@huggingface/transformers';

export const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
const modelName = 'all-MiniLM-L6-v2';

/**
 * The vectors of texts as the bundled model gives them when it is called directly, one text at a time.
 *
 * @param {readonly string[]} texts
 * @returns {Promise<Map<string, Float32Array>>}
 */
export async function directVectors(texts) {
  env.allowRemoteModels = false;
  env.localModelPath = modelsDir;
  const tokenizer = await AutoTokenizer.from_pretrained(modelName);
  const network = await AutoModel.from_pretrained(modelName, { dtype: 'q8' });
  /** @type {Map<string, Float32Array>} */
  const vectors = new Map();
  for (const text of new Set(texts)) {
    const inputs = tokenizer(text);
    const { last_hidden_state: states } = await network(inputs);
    vectors.set(text, Float32Array.from(mean_pooling(states, inputs['attention_mask']).normalize(2, -1).data));
  }
  await network.dispose();
  return vectors;
}

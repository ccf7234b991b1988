import { fileURLToPath } from 'node:url';
import { env } from '@huggingface/transformers';

/** The model that all contenders run, from the repository's files alone. */
export const modelName = 'all-MiniLM-L6-v2';
export const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
/** What the model reads of a text, in tokens. */
export const maxTokens = 256;

env.allowRemoteModels = false;
env.localModelPath = modelsDir;

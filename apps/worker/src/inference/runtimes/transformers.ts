import { env } from '@huggingface/transformers';
import type { ModelRuntime, RuntimeOptions } from '../runtime.ts';
import { loadClassifier } from './transformers-classifier.ts';
import { loadEmbedder } from './transformers-embedder.ts';
import { loadPipeline } from './transformers-pipeline.ts';

/** Models by transformers.js and ONNX Runtime, from the folder alone: no hub is asked, and nothing is kept beside it. */
export function transformersRuntime({ modelsDir, threads }: RuntimeOptions): ModelRuntime {
  env.allowRemoteModels = false;
  env.useFSCache = false;
  env.localModelPath = modelsDir;
  return {
    loadEmbedder: (folder) => loadEmbedder(folder, threads),
    loadClassifier: (folder) => loadClassifier(folder, threads),
    loadPipeline: (pipeline, folder) => loadPipeline(pipeline, folder, threads),
  };
}

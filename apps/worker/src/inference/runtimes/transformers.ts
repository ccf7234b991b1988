import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  AutoModel,
  AutoTokenizer,
  env,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  Tensor,
} from '@huggingface/transformers';
import { MillraceError } from '@millrace/shared/errors';
import { embeddingTokenLimit } from '@millrace/shared/tasks/inference/embed';
import { kernelClass } from '../kernel-class.ts';
import type { Embedder, ModelRuntime, RuntimeOptions, TokenizedText } from '../runtime.ts';

const dtype = 'q8';
/** Everything that decides about a vector; transformers.js looks for these names. */
const modelFiles = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model_quantized.onnx'];

/** Models by transformers.js and ONNX Runtime, from the folder alone: no hub is asked. */
export function transformersRuntime(options: RuntimeOptions): ModelRuntime {
  env.allowRemoteModels = false;
  env.localModelPath = options.modelsDir;
  return { loadEmbedder: (model) => loadEmbedder(model, options) };
}

async function loadEmbedder(model: string, { modelsDir, threads }: RuntimeOptions): Promise<Embedder> {
  const folder = path.join(modelsDir, model);
  const filesHash = await hashFiles(model, folder);
  // One thread computes in place; a pool of one would only be handed the work.
  const sessionOptions = { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential' as const };
  try {
    const tokenizer = await AutoTokenizer.from_pretrained(model);
    const network = await AutoModel.from_pretrained(model, { dtype, session_options: sessionOptions });
    return new TransformersEmbedder(model, { tokenizer, network, filesHash });
  } catch (error) {
    throw new MillraceError('MODEL_NOT_AVAILABLE', `Model ${model} does not load: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function hashFiles(model: string, folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of modelFiles) {
    const file = path.join(folder, name);
    await access(file).catch(() => {
      throw new MillraceError('MODEL_NOT_AVAILABLE', `Model ${model} has no file ${name} below MODELS_DIR.`);
    });
    hash.update(name).update(await readFile(file));
  }
  return hash.digest('hex');
}

interface Loaded {
  readonly tokenizer: PreTrainedTokenizer;
  readonly network: PreTrainedModel;
  readonly filesHash: string;
}

class TransformersEmbedder implements Embedder {
  readonly model: string;
  readonly dimensions: number;
  readonly tokenLimit = embeddingTokenLimit;
  private readonly loaded: Loaded;
  /** By `normalize`: it is part of every value, and takes longer to make than to tell. */
  private readonly fingerprints = new Map<boolean, string>();

  constructor(model: string, loaded: Loaded) {
    this.model = model;
    this.loaded = loaded;
    this.dimensions = Number((loaded.network.config as { hidden_size?: number }).hidden_size);
  }

  fingerprint(normalize: boolean): string {
    const fingerprint = this.fingerprints.get(normalize) ?? this.makeFingerprint(normalize);
    this.fingerprints.set(normalize, fingerprint);
    return fingerprint;
  }

  private makeFingerprint(normalize: boolean): string {
    const facts = {
      files: this.loaded.filesHash,
      dtype,
      pooling: 'mean',
      normalize,
      tokenLimit: this.tokenLimit,
      runtime: `transformers.js ${env.version}`,
      kernel: kernelClass(),
    };
    return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
  }

  tokenize(text: string): TokenizedText {
    const ids = this.loaded.tokenizer.encode(text);
    const tokens = ids.length;
    if (tokens <= this.tokenLimit) return { ids, tokens, truncated: false };
    // What follows the text ([SEP]) stays behind what is left of it.
    const kept = [...ids.slice(0, this.tokenLimit - 1), ...ids.slice(-1)];
    return { ids: kept, tokens, truncated: true };
  }

  async embed(texts: readonly TokenizedText[]): Promise<Float32Array> {
    const width = texts.reduce((longest, { ids }) => Math.max(longest, ids.length), 0);
    const ids = new BigInt64Array(texts.length * width);
    const mask = new BigInt64Array(texts.length * width);
    texts.forEach((text, row) => {
      text.ids.forEach((id, column) => {
        ids[row * width + column] = BigInt(id);
        mask[row * width + column] = 1n;
      });
    });
    const shape = [texts.length, width];
    const output = await this.loaded.network({
      input_ids: new Tensor('int64', ids, shape),
      attention_mask: new Tensor('int64', mask, shape),
      token_type_ids: new Tensor('int64', new BigInt64Array(ids.length), shape),
    });
    const hidden: Tensor = output.last_hidden_state;
    const pooled = meanPool(hidden.data as Float32Array, { texts, width, dimensions: this.dimensions });
    hidden.dispose();
    return pooled;
  }
}

interface PoolShape {
  readonly texts: readonly TokenizedText[];
  readonly width: number;
  readonly dimensions: number;
}

/**
 * The mean of a text's token vectors, summed in double precision over its own tokens alone: padding cannot reach it, so the
 * vector does not depend on the other texts of the pass.
 */
function meanPool(hidden: Float32Array, { texts, width, dimensions }: PoolShape): Float32Array {
  const pooled = new Float32Array(texts.length * dimensions);
  const sums = new Float64Array(dimensions);
  texts.forEach(({ ids }, row) => {
    sums.fill(0);
    for (let token = 0; token < ids.length; token += 1) {
      const start = (row * width + token) * dimensions;
      for (let index = 0; index < dimensions; index += 1)
        sums[index] = (sums[index] ?? 0) + (hidden[start + index] ?? 0);
    }
    for (let index = 0; index < dimensions; index += 1)
      pooled[row * dimensions + index] = (sums[index] ?? 0) / ids.length;
  });
  return pooled;
}

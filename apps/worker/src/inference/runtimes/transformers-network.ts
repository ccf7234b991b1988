import { env, type PreTrainedModel, Tensor } from '@huggingface/transformers';
import type { ModelFolder } from '../../models/model-folder.ts';
import { loadFailure } from './load-failure.ts';
import { TextTokenizer } from './transformers-tokenizer.ts';

/** The runtime's name in fingerprints. */
export const runtimeName = `transformers.js ${env.version}`;

/** ONNX Runtime's options of every session. One thread computes in place; a pool of one would only be handed the work. */
export function sessionOptions(threads: number) {
  return { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential' as const };
}

/** What loads a model from a folder: one of transformers.js's AutoModel classes. */
interface ModelClass {
  from_pretrained(
    model: string,
    options: { dtype: ModelFolder['dtype']; session_options: ReturnType<typeof sessionOptions> },
  ): Promise<PreTrainedModel>;
}

/** Token ids of a text, as they go into a network; `typeIds` are zeros where there are none. */
interface NetworkInput {
  readonly ids: readonly number[];
  readonly typeIds?: readonly number[];
}

/** What a network gave, by name: float32, a row of the first dimension for each text. */
interface NetworkOutput {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** An encoder with its tokenizer, loaded by transformers.js. */
export class EncoderNetwork {
  readonly folder: ModelFolder;
  readonly tokenizer: TextTokenizer;
  private readonly network: PreTrainedModel;
  private readonly hasTypes: boolean;

  private constructor(folder: ModelFolder, tokenizer: TextTokenizer, network: PreTrainedModel) {
    this.folder = folder;
    this.tokenizer = tokenizer;
    this.network = network;
    const { model } = network.sessions as { model?: { inputNames: readonly string[] } };
    this.hasTypes = model?.inputNames.includes('token_type_ids') ?? false;
  }

  /** @throws MillraceError MODEL_NOT_AVAILABLE with the files that it could not load, and why. */
  static async open(modelClass: ModelClass, folder: ModelFolder, threads: number): Promise<EncoderNetwork> {
    const tokenizer = await TextTokenizer.open(folder);
    try {
      const options = { dtype: folder.dtype, session_options: sessionOptions(threads) };
      return new EncoderNetwork(folder, tokenizer, await modelClass.from_pretrained(folder.name, options));
    } catch (error) {
      throw loadFailure(folder.name, folder.weights.join(', '), error);
    }
  }

  /**
   * One forward pass, padded on the right to the longest text. Gives the first of the outputs that it has of `names`.
   * @throws Error when it has none of them.
   */
  async run(texts: readonly NetworkInput[], names: readonly string[]): Promise<NetworkOutput> {
    const outputs = tensorsOf(await this.network(this.feeds(texts)));
    try {
      const chosen = names.map((name) => outputs.get(name)).find((tensor) => tensor !== undefined);
      if (chosen !== undefined) return toFloats(chosen);
      const given = [...outputs.keys()].join(', ') || 'nothing that it knows';
      throw new Error(`it gives ${given}, and none of ${names.join(', ')}`);
    } finally {
      for (const tensor of outputs.values()) tensor.dispose();
    }
  }

  async dispose(): Promise<void> {
    await this.network.dispose();
  }

  private feeds(texts: readonly NetworkInput[]): Record<string, Tensor> {
    const width = texts.reduce((longest, { ids }) => Math.max(longest, ids.length), 0);
    const size = texts.length * width;
    const ids = new BigInt64Array(size).fill(BigInt(this.tokenizer.padId));
    const mask = new BigInt64Array(size);
    const types = new BigInt64Array(this.hasTypes ? size : 0);
    texts.forEach((text, row) => {
      text.ids.forEach((id, column) => {
        ids[row * width + column] = BigInt(id);
        mask[row * width + column] = 1n;
      });
      if (this.hasTypes)
        text.typeIds?.forEach((type, column) => {
          types[row * width + column] = BigInt(type);
        });
    });
    const shape = [texts.length, width];
    const feeds = { input_ids: new Tensor('int64', ids, shape), attention_mask: new Tensor('int64', mask, shape) };
    return this.hasTypes ? { ...feeds, token_type_ids: new Tensor('int64', types, shape) } : feeds;
  }
}

function tensorsOf(outputs: object): Map<string, Tensor> {
  return new Map(
    Object.entries(outputs).flatMap(([name, value]): [string, Tensor][] =>
      value instanceof Tensor ? [[name, value]] : [],
    ),
  );
}

function toFloats(tensor: Tensor): NetworkOutput {
  const floats = tensor.type === 'float32' ? tensor : tensor.to('float32');
  return { data: floats.data as Float32Array, dims: floats.dims };
}

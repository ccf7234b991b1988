import { AutoModel } from '@huggingface/transformers';
import type { Purpose } from '@millrace/shared/tasks/inference/embed';
import type { ModelFolder } from '../../models/model-folder.ts';
import { fingerprintOf } from '../fingerprint.ts';
import type { Embedder, TokenizedText } from '../runtime.ts';
import { loadFailure } from './load-failure.ts';
import { pool } from './pool.ts';
import { EncoderNetwork, runtimeName } from './transformers-network.ts';

/** What networks call the vectors of their tokens, and the one that they have pooled themselves. */
const tokenOutputs = ['last_hidden_state', 'token_embeddings', 'hidden_states'];
const pooledOutputs = ['sentence_embedding'];

/** Loads an embedding model and computes once, which tells its dimensions. @throws MillraceError MODEL_NOT_AVAILABLE. */
export async function loadEmbedder(folder: ModelFolder, threads: number): Promise<Embedder> {
  const network = await EncoderNetwork.open(AutoModel, folder, threads);
  try {
    const { ids } = network.tokenizer.text('warm', folder.settings.tokenLimits.embed);
    const { dims } = await network.run([{ ids }], outputsOf(folder));
    return new TransformersEmbedder(network, dims.at(-1) ?? 0);
  } catch (error) {
    await network.dispose();
    throw loadFailure(folder.name, folder.weights.join(', '), error);
  }
}

function outputsOf({ settings }: ModelFolder): readonly string[] {
  return settings.pooling === 'model' ? pooledOutputs : tokenOutputs;
}

class TransformersEmbedder implements Embedder {
  readonly model: string;
  readonly dimensions: number;
  readonly batches: boolean;
  readonly normalize: boolean;
  readonly tokenLimit: number;
  private readonly network: EncoderNetwork;
  /** By `normalize`: it is part of every value, and takes longer to make than to tell. */
  private readonly fingerprints: Readonly<Record<'true' | 'false', string>>;

  constructor(network: EncoderNetwork, dimensions: number) {
    const { name, batches, settings } = network.folder;
    this.network = network;
    this.model = name;
    this.dimensions = dimensions;
    this.batches = batches;
    this.normalize = settings.normalize;
    this.tokenLimit = settings.tokenLimits.embed;
    this.fingerprints = { true: this.makeFingerprint(true), false: this.makeFingerprint(false) };
  }

  fingerprint(normalize: boolean): string {
    return this.fingerprints[`${normalize}`];
  }

  private makeFingerprint(normalize: boolean): string {
    const { folder } = this.network;
    const { pooling, prefixes } = folder.settings;
    const facts = { pooling, normalize, tokenLimit: this.tokenLimit, prefixes, batches: this.batches };
    return fingerprintOf(folder, runtimeName, facts);
  }

  tokenize(text: string, purpose?: Purpose): TokenizedText {
    const { prefixes } = this.network.folder.settings;
    const prefix = purpose === undefined ? '' : prefixes[purpose];
    return this.network.tokenizer.text(`${prefix}${text}`, this.tokenLimit);
  }

  async embed(texts: readonly TokenizedText[]): Promise<Float32Array> {
    if (this.batches || texts.length < 2) return await this.pass(texts);
    const vectors = new Float32Array(texts.length * this.dimensions);
    for (const [row, text] of texts.entries()) vectors.set(await this.pass([text]), row * this.dimensions);
    return vectors;
  }

  async dispose(): Promise<void> {
    await this.network.dispose();
  }

  private async pass(texts: readonly TokenizedText[]): Promise<Float32Array> {
    const { folder } = this.network;
    const { data, dims } = await this.network.run(texts, outputsOf(folder));
    const { pooling } = folder.settings;
    if (pooling === 'model') return data;
    const lengths = texts.map(({ ids }) => ids.length);
    return pool(pooling, { data, width: dims[1] ?? 0, dimensions: this.dimensions }, lengths);
  }
}

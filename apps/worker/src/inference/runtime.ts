import type { Purpose } from '@millrace/shared/tasks/inference/embed';
import type { PipelineInput, PipelineName, PipelineOptions } from '@millrace/shared/tasks/inference/pipeline-variants';
import type { ModelFolder } from '../models/model-folder.ts';

/** A text as a model reads it. */
export interface TokenizedText {
  /** Token ids, at most the model's limit. */
  readonly ids: readonly number[];
  /** How many tokens the whole text has, with the prefix of its purpose. */
  readonly tokens: number;
  readonly truncated: boolean;
}

/** A text, or a pair of texts, as a classification model reads it. */
export interface TokenizedPair extends TokenizedText {
  /** Which of the pair each token belongs to, 0 or 1; as long as `ids`. */
  readonly typeIds: readonly number[];
}

/** A model that is loaded. Not for two calls at once: it computes on the calling thread. */
export interface LoadedNetwork {
  /** Whether several texts may share a forward pass; if not, each is computed by itself whatever is asked for. */
  readonly batches: boolean;
  /** Gives back its memory; it must not be used again. */
  dispose(): Promise<void>;
}

/** An embedding model that is loaded. */
export interface Embedder extends LoadedNetwork {
  readonly model: string;
  readonly dimensions: number;
  /** Whether vectors are scaled to length 1 unless the task says. */
  readonly normalize: boolean;
  /** Tokens that it reads of a text. */
  readonly tokenLimit: number;
  /**
   * Changes whenever the same text, for the same purpose, could give another vector; the two ways of `normalize` differ in it,
   * purposes do not: their vectors are meant to be compared.
   */
  fingerprint(normalize: boolean): string;
  /** What the model's folder puts in front for a purpose is part of the text. */
  tokenize(text: string, purpose?: Purpose): TokenizedText;
  /** One forward pass, padded to the longest text: pooled vectors, row after row, not normalized. */
  embed(texts: readonly TokenizedText[]): Promise<Float32Array>;
}

/** A sequence-classification model that is loaded: text-classification models and cross-encoders. */
export interface SequenceClassifier extends LoadedNetwork {
  readonly model: string;
  /** The model's labels (id2label), in the order of the logits; a cross-encoder has one. */
  readonly labels: readonly string[];
  /** Whether each label holds or not by itself (problem_type multi_label_classification). */
  readonly multiLabel: boolean;
  /** Tokens that it reads of a text or a pair; of a pair that is longer the longer part is cut. */
  readonly tokenLimit: number;
  /** Changes whenever the same text could give other logits. */
  fingerprint(): string;
  tokenize(text: string, pair?: string): TokenizedPair;
  /** One forward pass, padded to the longest text: logits, row after row, as many in a row as there are labels. */
  logits(texts: readonly TokenizedPair[]): Promise<Float32Array>;
}

/** How a pipeline reads an input. */
export interface PipelineReading {
  /** Tokens that the whole input has. */
  readonly tokens: number;
  /** Tokens of it that the model reads; fewer when it is cut. */
  readonly reads: number;
  /** Why it cannot be run, if that is known before. */
  readonly problem: string | undefined;
}

/** Any text pipeline of transformers.js that is loaded; `batches`: `run` computes several inputs in one forward pass. */
export interface TextPipeline extends LoadedNetwork {
  /** Changes whenever the same input could give another output. */
  fingerprint(): string;
  read(input: PipelineInput, options: PipelineOptions): PipelineReading;
  /** One output per input, in order, as plain JSON. */
  run(inputs: readonly PipelineInput[], options: PipelineOptions): Promise<readonly unknown[]>;
}

/** How models are loaded. */
export interface RuntimeOptions {
  /** The folder of the models. */
  readonly modelsDir: string;
  /** Threads of one forward pass. */
  readonly threads: number;
}

/** A library that runs models; their files were found and verified before it is asked. */
export interface ModelRuntime {
  /** @throws MillraceError MODEL_NOT_AVAILABLE with the reason. */
  loadEmbedder(folder: ModelFolder): Promise<Embedder>;
  /** The same for a sequence-classification model. */
  loadClassifier(folder: ModelFolder): Promise<SequenceClassifier>;
  /** The same for a pipeline, by its transformers.js name. */
  loadPipeline(pipeline: PipelineName, folder: ModelFolder): Promise<TextPipeline>;
}

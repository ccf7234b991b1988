/** A text as a model reads it. */
export interface TokenizedText {
  /** Token ids, at most the model's limit. */
  readonly ids: readonly number[];
  /** How many tokens the whole text has. */
  readonly tokens: number;
  readonly truncated: boolean;
}

/** An embedding model that is loaded. Not for two calls at once: it computes on the calling thread. */
export interface Embedder {
  readonly model: string;
  readonly dimensions: number;
  /** Tokens that it reads of a text. */
  readonly tokenLimit: number;
  /** Changes whenever the same text could give another vector; the two ways of `normalize` differ in it. */
  fingerprint(normalize: boolean): string;
  tokenize(text: string): TokenizedText;
  /** One forward pass, padded to the longest text: mean-pooled vectors, row after row, not normalized. */
  embed(texts: readonly TokenizedText[]): Promise<Float32Array>;
}

/** How models are loaded. */
export interface RuntimeOptions {
  /** The folder of the models. */
  readonly modelsDir: string;
  /** Threads of one forward pass. */
  readonly threads: number;
}

/** A library that runs models. */
export interface ModelRuntime {
  /** Loads a model of the folder. @throws MillraceError MODEL_NOT_AVAILABLE with the reason. */
  loadEmbedder(model: string): Promise<Embedder>;
}

import type { Embedder, ModelRuntime } from './runtime.ts';

/** The models of one lane, each loaded once, when it is first asked for. */
export class Models {
  private readonly runtime: ModelRuntime;
  private readonly loading = new Map<string, Promise<Embedder>>();

  constructor(runtime: ModelRuntime) {
    this.runtime = runtime;
  }

  /** @throws MillraceError MODEL_NOT_AVAILABLE; a later call tries again. */
  async embedder(model: string): Promise<Embedder> {
    const loading = this.loading.get(model) ?? this.runtime.loadEmbedder(model);
    this.loading.set(model, loading);
    try {
      return await loading;
    } catch (error) {
      this.loading.delete(model);
      throw error;
    }
  }
}

import { MillraceError } from '@millrace/shared/errors';
import type { PipelineName } from '@millrace/shared/tasks/inference/pipeline-variants';
import { type ModelFolder, openModel } from '../models/model-folder.ts';
import { type ModelKind, readModelKind } from './model-kind.ts';
import { estimateMemory } from './model-memory.ts';
import type { Embedder, LoadedNetwork, ModelRuntime, SequenceClassifier, TextPipeline } from './runtime.ts';

interface ModelsParams {
  readonly runtime: ModelRuntime;
  readonly modelsDir: string;
  /** What all loaded models may take together, in bytes by estimate. */
  readonly memoryLimit: number;
  /** ms of any clock that only goes forward. */
  readonly now: () => number;
}

/** What a model is loaded for, and how it tells what its results depend on. */
interface Use<Network extends LoadedNetwork> {
  readonly name: string;
  load(folder: ModelFolder): Promise<Network>;
  fingerprint(network: Network): string;
}

/** A model in one of its uses. */
interface Entry {
  readonly model: string;
  /** The network, once it is there. */
  readonly loading: Promise<LoadedNetwork>;
  /** Undefined until it is loaded. */
  loaded: { readonly network: LoadedNetwork; readonly fingerprint: string } | undefined;
  /** What it takes; 0 until its folder was read. */
  bytes: number;
  /** Whether the call that is computed now has asked for it. */
  inUse: boolean;
}

/** A model that did not load is not tried again for so long, in ms: its files may be large. */
const pauseMs = 1000;

/**
 * The models of one lane, each loaded when it is first asked for, never twice at once, and kept as long as all of them fit the
 * memory limit: then the one goes that was not used for longest. What a call has asked for stays until the call has ended.
 */
export class Models {
  private readonly params: ModelsParams;
  /** Least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private readonly failures = new Map<string, { readonly error: unknown; readonly until: number }>();

  constructor(params: ModelsParams) {
    this.params = params;
  }

  /** @throws MillraceError MODEL_NOT_AVAILABLE, MODEL_DAMAGED; a later call tries again. */
  async embedder(model: string): Promise<Embedder> {
    const { runtime } = this.params;
    return await this.get(model, {
      name: 'embedder',
      load: (folder) => runtime.loadEmbedder(folder),
      fingerprint: (embedder) => embedder.fingerprint(embedder.normalize),
    });
  }

  /** Whether a model is for embeddings or a sequence classifier. @throws as `embedder`. */
  async kindOf(model: string): Promise<ModelKind> {
    return await readModelKind({ modelsDir: this.params.modelsDir, model });
  }

  /** A sequence-classification model. @throws as `embedder`. */
  async classifier(model: string): Promise<SequenceClassifier> {
    const { runtime } = this.params;
    return await this.get(model, {
      name: 'classifier',
      load: (folder) => runtime.loadClassifier(folder),
      fingerprint: (classifier) => classifier.fingerprint(),
    });
  }

  /** A pipeline of transformers.js. @throws as `embedder`, and INVALID_INPUT when the model is for another pipeline. */
  async pipeline(pipeline: PipelineName, model: string): Promise<TextPipeline> {
    const { runtime } = this.params;
    return await this.get(model, {
      name: pipeline,
      load: (folder) => runtime.loadPipeline(pipeline, folder),
      fingerprint: (loaded) => loaded.fingerprint(),
    });
  }

  /** What is loaded, the model that was used last at the end. */
  get loaded(): { readonly name: string; readonly fingerprint: string }[] {
    return [...this.entries.values()].flatMap(({ model, loaded }) =>
      loaded === undefined ? [] : [{ name: model, fingerprint: loaded.fingerprint }],
    );
  }

  /** The call that was computed has ended: what it asked for may go when room is needed. */
  async endCall(): Promise<void> {
    for (const entry of this.entries.values()) entry.inUse = false;
    await this.makeRoom();
  }

  private async get<Network extends LoadedNetwork>(model: string, use: Use<Network>): Promise<Network> {
    const key = `${use.name} ${model}`;
    const entry = this.entries.get(key) ?? this.begin(key, model, use);
    entry.inUse = true;
    this.entries.delete(key);
    this.entries.set(key, entry);
    try {
      // By its key an entry has one use, and so one kind of network.
      return (await entry.loading) as Network;
    } catch (error) {
      if (this.entries.get(key) === entry) this.entries.delete(key);
      throw error;
    }
  }

  private begin<Network extends LoadedNetwork>(key: string, model: string, use: Use<Network>): Entry {
    const failure = this.failures.get(key);
    if (failure !== undefined && this.params.now() < failure.until) throw failure.error;
    this.failures.delete(key);
    const load = async () => {
      try {
        return await this.load(entry, use);
      } catch (error) {
        this.failures.set(key, { error, until: this.params.now() + pauseMs });
        throw error;
      }
    };
    // Nothing of it runs before there is an entry.
    const loading = Promise.resolve().then(load);
    const entry: Entry = { model, loading, loaded: undefined, bytes: 0, inUse: true };
    return entry;
  }

  private async load<Network extends LoadedNetwork>(entry: Entry, use: Use<Network>): Promise<Network> {
    const { modelsDir, memoryLimit } = this.params;
    const folder = await openModel({ modelsDir, model: entry.model });
    const bytes = estimateMemory(folder);
    if (bytes > memoryLimit) throw tooLarge(entry.model, bytes, memoryLimit);
    entry.bytes = bytes;
    await this.makeRoom();
    const network = await use.load(folder);
    entry.loaded = { network, fingerprint: use.fingerprint(network) };
    return network;
  }

  /** Lets go of models that are not in use, until the rest fits. */
  private async makeRoom(): Promise<void> {
    let total = [...this.entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [key, { loaded, bytes, inUse }] of this.entries) {
      if (total <= this.params.memoryLimit) return;
      if (inUse || loaded === undefined) continue;
      this.entries.delete(key);
      total -= bytes;
      await loaded.network.dispose();
    }
  }
}

function tooLarge(model: string, bytes: number, limit: number): MillraceError {
  const [needs, has] = [bytes, limit].map((size) => `${Math.ceil(size / 2 ** 20)} MiB`);
  return new MillraceError(
    'MODEL_NOT_AVAILABLE',
    `Model ${model} needs about ${needs} of memory, and MODEL_MEMORY of the workers is ${has}: raise it.`,
  );
}

import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { toMillraceError } from '@millrace/shared/errors';
import type { Logger } from '@millrace/shared/logger';
import { allowsRemote, type RemoteModels } from '@millrace/shared/tasks/inference/model-name';
import { downloadModel, incoming } from './hub/download-model.ts';
import type { Hub } from './hub/hub.ts';
import { type ListedModel, listModels } from './list-models.ts';

interface ModelStoreParams {
  readonly modelsDir: string;
  readonly hub: Hub;
  /** What may come from the hub. */
  readonly allowed: RemoteModels;
  readonly log: Logger;
  /** ms of any clock that only goes forward. */
  readonly now: () => number;
}

/** The hub is not asked again for a model that did not come for so long, in ms. */
const pauseMs = 10_000;
/** What lies half loaded for so long was left by a worker that died; ms. */
const abandonedMs = 24 * 3_600_000;

/**
 * The models below MODELS_DIR, as the main thread of a worker knows them, and where others come from: a model that is missing and
 * allowed is brought from the hub once, whatever waits for it. Reading and writing alone: models are loaded by the lanes.
 */
export class ModelStore {
  private readonly params: ModelStoreParams;
  private listed: readonly ListedModel[] = [];
  private readonly told = new Set<string>();
  private readonly coming = new Map<string, Promise<boolean>>();
  private readonly failures = new Map<string, { readonly error: unknown; readonly until: number }>();

  constructor(params: ModelStoreParams) {
    this.params = params;
  }

  /** The models that are there, as of the last look. */
  get models(): readonly ListedModel[] {
    return this.listed;
  }

  /** What may come from the hub. */
  get allowed(): RemoteModels {
    return this.params.allowed;
  }

  /** Looks again what is there, and says once of each model that nothing tells whether its files are the right ones. */
  async look(): Promise<void> {
    const { modelsDir, log } = this.params;
    this.listed = await listModels(modelsDir);
    for (const { name, pinned } of this.listed) {
      if (pinned || this.told.has(name)) continue;
      this.told.add(name);
      log.warn({ event: 'model.unpinned', model: name }, `its files are not pinned: npm run models:pin -- ${name}`);
    }
  }

  /**
   * Whether a model is there, once it is known: one that is missing is looked for again, and brought from the hub if it may come.
   * undefined: it was there at the last look, and nothing is to be waited for.
   * @throws MillraceError MODEL_NOT_AVAILABLE (the promise) when the hub does not give it.
   */
  find(model: string): Promise<boolean> | undefined {
    if (this.isThere(model)) return undefined;
    const coming = this.coming.get(model) ?? this.bring(model).finally(() => this.coming.delete(model));
    this.coming.set(model, coming);
    return coming;
  }

  private isThere(model: string): boolean {
    return this.listed.some(({ name }) => name === model);
  }

  private async bring(model: string): Promise<boolean> {
    const { allowed, now } = this.params;
    await this.look();
    if (this.isThere(model)) return true;
    if (!allowsRemote(allowed, model)) return false;
    const failure = this.failures.get(model);
    if (failure !== undefined && now() < failure.until) throw failure.error;
    await this.load(model);
    return true;
  }

  private async load(model: string): Promise<void> {
    const { hub, modelsDir, log, now } = this.params;
    log.info({ event: 'model.coming', model, hub: hub.url }, 'a model is brought from the hub');
    try {
      await removeAbandoned(path.join(modelsDir, incoming));
      const { bytes } = await downloadModel({ hub, modelsDir, model });
      log.info({ event: 'model.came', model, bytes }, 'a model has come from the hub, and is pinned');
      await this.look();
    } catch (error) {
      log.warn({ event: 'model.missed', model }, toMillraceError(error).message);
      this.failures.set(model, { error, until: now() + pauseMs });
      throw error;
    }
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const at = path.join(folder, name);
    const { mtimeMs } = await stat(at).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > abandonedMs) await rm(at, { recursive: true, force: true });
  }
}

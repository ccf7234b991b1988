import { MillraceError } from '@millrace/shared/errors';
import { withRedis } from '@millrace/shared/redis/connection';
import type { WorkerBeat, WorkerRegistry } from '@millrace/shared/redis/workers';
import { allowsRemote } from '@millrace/shared/tasks/inference/model-name';
import type { ParsedTask } from '@millrace/shared/tasks/parse';

interface ModelCheckParams {
  readonly workers: WorkerRegistry;
  /** ms of any clock that only goes forward. */
  readonly now: () => number;
}

const remedy =
  'Use one of these, put it below MODELS_DIR of the workers, or let them bring it from the hub (ALLOW_REMOTE_MODELS).';

/** Heartbeats are not used for longer; ms. */
const freshMs = 1000;

/**
 * Refuses a task for a model that no living worker has, or may bring from the hub, instead of letting it wait for one. While no
 * worker lives nothing is known, and the task waits.
 */
export class ModelCheck {
  private readonly params: ModelCheckParams;
  private known: { readonly askedAt: number; readonly workers: Promise<WorkerBeat[]> } | undefined;

  constructor(params: ModelCheckParams) {
    this.params = params;
  }

  /** Why a task is refused; undefined when it is not. @throws MillraceError REDIS_UNAVAILABLE. */
  async refusal({ taskType, input }: Pick<ParsedTask, 'taskType' | 'input'>): Promise<MillraceError | undefined> {
    const model = taskType.model(input);
    if (model === undefined) return undefined;
    const workers = (await this.workers()).filter(({ families }) => families.includes(taskType.family));
    const models = new Set(workers.flatMap((worker) => worker.models.map(({ name }) => name)));
    if (workers.length === 0 || models.has(model)) return undefined;
    // A worker that lived before the last update says nothing of the hub.
    if (workers.some(({ remoteModels = [] }) => allowsRemote(remoteModels, model))) return undefined;
    const list = [...models].sort().join(', ');
    return new MillraceError(
      'MODEL_NOT_AVAILABLE',
      `No worker has the model ${JSON.stringify(model)}; there are: ${list}. ${remedy}`,
      {
        problems: [{ path: 'input.model', got: JSON.stringify(model), expected: `one of ${list}`, remedy }],
      },
    );
  }

  private async workers(): Promise<WorkerBeat[]> {
    const { workers, now } = this.params;
    if (this.known === undefined || now() - this.known.askedAt > freshMs) {
      const asked = withRedis(() => workers.list());
      this.known = { askedAt: now(), workers: asked };
      // What failed is asked again the next time.
      asked.catch(() => {
        this.known = undefined;
      });
    }
    return await this.known.workers;
  }
}

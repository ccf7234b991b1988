import { toMillraceError } from '@millrace/shared/errors';
import { notThere } from './models/model-folder.ts';
import type { ModelStore } from './models/model-store.ts';
import type { Dispatcher } from './process/dispatcher.ts';
import type { HeldTask } from './process/held-task.ts';

/**
 * Stands before the dispatcher: a task whose model is still to come from the hub waits here, with its lock renewed as that of any
 * task that is held, and takes no lane meanwhile; one whose model this worker does not have is left for others.
 */
export class ModelGate implements Pick<Dispatcher, 'submit' | 'drain' | 'windowFull'> {
  private readonly dispatcher: Dispatcher;
  private readonly store: ModelStore;
  private readonly waiting = new Set<HeldTask>();

  constructor(dispatcher: Dispatcher, store: ModelStore) {
    this.dispatcher = dispatcher;
    this.store = store;
  }

  set windowFull(full: boolean) {
    this.dispatcher.windowFull = full;
  }

  get windowFull(): boolean {
    return this.dispatcher.windowFull;
  }

  submit(task: HeldTask): void {
    const { taskType, input } = task.params;
    const model = taskType.model(input);
    const found = model === undefined ? undefined : this.store.find(model);
    if (model === undefined || found === undefined) this.dispatcher.submit(task);
    else void this.waitFor(found, { model, task });
  }

  drain(): HeldTask[] {
    const waiting = [...this.waiting].filter((task) => !task.isEnded);
    return [...waiting, ...this.dispatcher.drain()];
  }

  private async waitFor(found: Promise<boolean>, { model, task }: { model: string; task: HeldTask }): Promise<void> {
    this.waiting.add(task);
    try {
      const isThere = await found;
      if (!isThere) {
        const { code, message } = notThere(model);
        task.end({ kind: 'lacking', code, message });
      } else if (!task.isEnded) this.dispatcher.submit(task);
    } catch (error) {
      const { code, message } = toMillraceError(error);
      task.end({ kind: 'failed', code, message, items: [] });
    } finally {
      this.waiting.delete(task);
    }
  }
}

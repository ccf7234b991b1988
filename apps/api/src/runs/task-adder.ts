import type { Enqueuer, PreparedTask } from '@millrace/client/enqueue';
import type { MillraceError } from '@millrace/shared/errors';

interface Asked {
  readonly prepared: PreparedTask;
  resolve(refusal: MillraceError | undefined): void;
  reject(error: Error): void;
}

/** Adds tasks: all that are asked for in one turn of the event loop go together. */
export class TaskAdder {
  private readonly enqueuer: Enqueuer;
  private asked: Asked[] = [];

  constructor(enqueuer: Enqueuer) {
    this.enqueuer = enqueuer;
  }

  /** Adds a task; resolves with why it was refused, if it was. */
  async add(prepared: PreparedTask): Promise<MillraceError | undefined> {
    if (this.asked.length === 0) setImmediate(() => void this.send());
    return await new Promise((resolve, reject) => {
      this.asked.push({ prepared, resolve, reject });
    });
  }

  private async send(): Promise<void> {
    const { asked } = this;
    this.asked = [];
    try {
      const failures = await this.enqueuer.addPrepared(asked.map(({ prepared }) => prepared));
      for (const { prepared, resolve } of asked) resolve(failures.get(prepared.id));
    } catch (error) {
      for (const { reject } of asked) reject(error as Error);
    }
  }
}

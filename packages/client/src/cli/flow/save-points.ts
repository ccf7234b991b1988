import type { Done } from './ledger.ts';

interface SaveParams {
  /** Makes what is done last: resolves when a crash would not lose it. */
  readonly save: (done: Done) => Promise<void>;
  /** It could not be saved when nobody waited for it. */
  readonly onFailure: (error: unknown) => void;
  readonly now: () => number;
}

/** Every now and then what is done is saved, in ms: so much is done again after a crash. */
const everyMs = 1000;

/** When a run saves how far it is: at most once a second, and soon after the last of a while, however long the next is in coming. */
export class SavePoints {
  private readonly params: SaveParams;
  private saving: Promise<void> = Promise.resolve();
  private savedAt: number;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(params: SaveParams) {
    this.params = params;
    this.savedAt = params.now();
  }

  /** So much is done now. @throws what keeps it from being saved. */
  async note(done: Done): Promise<void> {
    const leftMs = this.savedAt + everyMs - this.params.now();
    if (leftMs <= 0) return await this.save(done);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(done).catch(this.params.onFailure), leftMs).unref();
  }

  /** At once. One at a time: the last that is asked for is what stands there in the end. */
  async save(done: Done): Promise<void> {
    clearTimeout(this.timer);
    const before = this.saving.catch(() => {});
    const next = before.then(async () => {
      if (this.isClosed) return;
      await this.params.save(done);
      this.savedAt = this.params.now();
    });
    this.saving = next;
    await next;
  }

  /** Saves no more; resolves when nothing is being saved. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.saving.catch(() => {});
  }
}

/** An iterable that is read one by one, sync or async. */
export class MapSource<Input> {
  private readonly iterator: Iterator<Input> | AsyncIterator<Input>;
  private reading = false;

  constructor(inputs: Iterable<Input> | AsyncIterable<Input>) {
    this.iterator = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
  }

  async next(): Promise<IteratorResult<Input, unknown>> {
    this.reading = true;
    try {
      return await this.iterator.next();
    } finally {
      this.reading = false;
    }
  }

  /** Tells it that no more is wanted, as a loop does that is left. One that is still making the next input is not waited for. */
  async stop(): Promise<void> {
    const stopping = Promise.resolve(this.iterator.return?.()).catch(() => {});
    if (!this.reading) await stopping;
  }
}

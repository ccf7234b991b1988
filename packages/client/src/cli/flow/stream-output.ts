import type { Writable } from 'node:stream';
import type { RowOutput } from './row-output.ts';
import { writeFailure } from './write-failure.ts';

/** Stdout, or what is no file that could be moved, such as a named pipe. */
export class StreamOutput implements RowOutput {
  readonly shown: string;
  bytes = 0;
  private readonly stream: Writable;
  private failure: unknown;

  constructor(stream: Writable, shown: string) {
    this.stream = stream;
    this.shown = shown;
    stream.on('error', (error) => {
      this.failure ??= error;
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.failure === undefined) {
      await new Promise<void>((resolve) => {
        this.stream.write(bytes, (error) => {
          if (error !== null && error !== undefined) this.failure ??= error;
          resolve();
        });
      });
    }
    if (this.failure !== undefined) throw writeFailure(this.shown, this.failure);
    this.bytes += bytes.length;
  }

  async sync(): Promise<void> {}

  async finish(head: Uint8Array): Promise<void> {
    await this.write(head);
  }

  async discard(): Promise<void> {}

  async close(): Promise<void> {}
}

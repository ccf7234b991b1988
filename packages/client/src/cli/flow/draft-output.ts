import { rename, rm } from 'node:fs/promises';
import { PositionedFile } from './positioned-file.ts';
import type { RowOutput } from './row-output.ts';
import { writeFailure } from './write-failure.ts';

/** The draft of a file. */
export function draftPathOf(file: string): string {
  return `${file}.part`;
}

/** A file that is a draft beside its place until it is whole: whoever looks there never sees half of it. */
export class DraftOutput implements RowOutput {
  readonly shown: string;
  private readonly draft: PositionedFile;
  private isOpen = true;

  private constructor(path: string, draft: PositionedFile) {
    this.shown = path;
    this.draft = draft;
  }

  /** Begins a draft, or goes on behind so many bytes of one. @throws Refusal. */
  static async open(path: string, keepBytes: number): Promise<DraftOutput> {
    return new DraftOutput(path, await PositionedFile.open(draftPathOf(path), keepBytes));
  }

  get bytes(): number {
    return this.draft.bytes;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.draft.write(bytes);
  }

  sync(): Promise<void> {
    return this.draft.sync();
  }

  async finish(head: Uint8Array): Promise<void> {
    await this.draft.writeAt(head, 0);
    await this.draft.sync();
    await this.close();
    try {
      await rename(this.draft.path, this.shown);
    } catch (error) {
      throw writeFailure(this.shown, error);
    }
  }

  async discard(): Promise<void> {
    await this.close();
    await rm(this.draft.path, { force: true });
  }

  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    await this.draft.close();
  }
}

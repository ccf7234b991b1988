/** Where rows go. */
export interface RowOutput {
  readonly shown: string;
  /** Written so far, in bytes. */
  readonly bytes: number;
  /** @throws Refusal with what keeps it from being written. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when a crash of the machine would not lose it, where that can be had. */
  sync(): Promise<void>;
  /** There is no more: `head` goes over the beginning, and what was a draft is one no longer. */
  finish(head: Uint8Array): Promise<void>;
  /** Nothing came of it: no draft is left. */
  discard(): Promise<void>;
  /** Leaves it as it is. May be called twice, and after `finish`. */
  close(): Promise<void>;
}

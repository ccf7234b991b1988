import type { Readable, Writable } from 'node:stream';
import pc from 'picocolors';
import type { Interrupts } from './interrupts.ts';

type Colors = ReturnType<typeof pc.createColors>;

/** Where text goes; a terminal or not. */
export interface TextSink {
  readonly stream: Writable;
  readonly isTerminal: boolean;
  /** Plain when it is no terminal, or NO_COLOR is set. */
  readonly colors: Colors;
  line(text: string): void;
}

/** What a command works in: injected, so that none of them knows the process. */
export interface Shell {
  readonly in: Readable & { readonly isTTY?: boolean };
  /** For what was asked. */
  readonly out: TextSink;
  /** For what else there is to say. */
  readonly err: TextSink;
  readonly interrupts: Interrupts;
}

export function textSink(stream: Writable & { readonly isTTY?: boolean }): TextSink {
  const isTerminal = stream.isTTY === true;
  return {
    stream,
    isTerminal,
    colors: pc.createColors(isTerminal && pc.isColorSupported),
    line: (text) => void stream.write(`${text}\n`),
  };
}

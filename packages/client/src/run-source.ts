import { createReadStream } from 'node:fs';
import { MillraceError } from '@millrace/shared/errors';
import { linesIn } from './lines-in.ts';

/**
 * The inputs of a run: an iterable of them; or JSON Lines, an input a line, as the path of a file or as bytes. Arrays and files are
 * sent again when an upload breaks off; generators and streams can be read only once.
 */
export type RunInputs<Input> =
  | Iterable<Input>
  | AsyncIterable<Input>
  | { readonly jsonl: string | URL | AsyncIterable<Uint8Array> };

/** The inputs of a run as JSON texts, one by one. */
export interface RunSource {
  /** Whether the inputs can be read, now: for the first time, or once more. */
  readonly isFresh: boolean;
  /** @throws MillraceError INVALID_REQUEST naming what is no JSON; what the inputs themselves throw. */
  texts(): AsyncGenerator<string, void, undefined>;
}

/** Nothing is read yet. */
export function openRunSource(inputs: RunInputs<unknown>): RunSource {
  const isLines = 'jsonl' in inputs;
  const canRepeat = isLines
    ? typeof inputs.jsonl === 'string' || inputs.jsonl instanceof URL
    : !(Symbol.asyncIterator in inputs) && !isIterator(inputs);
  let isRead = false;
  return {
    get isFresh() {
      return canRepeat || !isRead;
    },
    async *texts() {
      isRead = true;
      yield* isLines ? linesOf(inputs.jsonl) : textsOf(inputs);
    },
  };
}

/** What gives itself when it is iterated, such as a generator, is used up by that. */
function isIterator(inputs: Iterable<unknown>): boolean {
  return 'next' in inputs;
}

async function* textsOf(inputs: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<string, void, undefined> {
  let index = 0;
  for await (const input of inputs) {
    yield JSON.stringify(input) ?? refuse(`inputs[${index}]`, typeof input);
    index += 1;
  }
}

async function* linesOf(jsonl: string | URL | AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const bytes = typeof jsonl === 'string' || jsonl instanceof URL ? createReadStream(jsonl) : jsonl;
  let number = 0;
  for await (const line of linesIn(bytes)) {
    number += 1;
    const text = jsonIn(line);
    if (text === undefined) refuse(`line ${number}`, Buffer.from(line).toString('utf8'));
    if (text !== '') yield text;
  }
}

/** A line that is JSON, or blank. */
function jsonIn(line: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(line).trim();
    if (text !== '') JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

function refuse(path: string, what: string): never {
  const got = what.length > 100 ? `${what.slice(0, 99)}…` : what;
  const problem = { path, got, expected: 'an input as JSON', remedy: 'Mend it; nothing was begun.' };
  throw new MillraceError('INVALID_REQUEST', `${path}: got ${got}, expected an input as JSON.`, {
    problems: [problem],
  });
}

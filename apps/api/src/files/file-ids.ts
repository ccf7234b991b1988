import { createHash, randomUUID } from 'node:crypto';

const fileForm = /^file-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const runForm = /^batch_[\da-f]{32}$/;
const partForm = /^part-([\da-f]{32})-/;

/** A new file id, `file-<uuid>`, which is also the name in the store. */
export function newFileId(): string {
  return `file-${randomUUID()}`;
}

/** Whether a text is a file id: nothing else ever reaches the store. */
export function isFileId(text: string): boolean {
  return fileForm.test(text);
}

/** A new run id, `batch_` and 32 hex digits. */
export function newRunId(): string {
  return `batch_${randomUUID().replaceAll('-', '')}`;
}

export function isRunId(text: string): boolean {
  return runForm.test(text);
}

/** The id of a file that a run makes: the same whoever makes it, and however often. */
export function outputFileId(runId: string, kind: 'output' | 'errors'): string {
  const hex = createHash('sha256').update(`${runId}:${kind}`).digest('hex');
  // The form of a UUIDv8, as RFC 9562 has it for such.
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `file-${parts.join('-')}`;
}

/** The names of the pieces of a run's output begin so. */
export function partPrefix(runId: string): string {
  return `part-${runId.slice('batch_'.length)}-`;
}

/** The name of a piece of a run's output; `writer` is other for each process that writes. */
export function partName(
  runId: string,
  kind: 'out' | 'err',
  { number, writer }: { number: number; writer: string },
): string {
  return `${partPrefix(runId)}${number.toString().padStart(6, '0')}-${writer}.${kind}`;
}

/** The run that a stored piece belongs to; undefined when it is none. */
export function runOfPart(name: string): string | undefined {
  const [, hex] = partForm.exec(name) ?? [];
  return hex === undefined ? undefined : `batch_${hex}`;
}

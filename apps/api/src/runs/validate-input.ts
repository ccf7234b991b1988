import { createHash } from 'node:crypto';
import type { RunEndpoint, RunError } from '@millrace/shared/redis/run-record';
import type { InputLine } from './input-lines.ts';
import { isFault, readRunLine } from './run-line.ts';

/** Errors that are told of one file; nobody mends more of them one by one. */
const mostErrors = 100;
/** Of 96 bits, two of ten million custom_ids are taken for one another once in 10^15 files. */
const digestBytes = 12;

interface ValidationParams {
  readonly endpoint: RunEndpoint;
  /** RUN_LINES. */
  readonly mostLines: number;
  readonly signal: AbortSignal;
}

/** What a look at a whole input gives: how many lines it has, or what is wrong with it. */
interface Validation {
  readonly total: number;
  readonly errors: readonly RunError[];
}

/**
 * Reads an input once, line by line: each must be a request for the endpoint with a custom_id of its own. Of all that it has read
 * it holds a short hash of each custom_id.
 */
export async function validateInput(
  batches: AsyncIterable<readonly InputLine[]>,
  { endpoint, mostLines, signal }: ValidationParams,
): Promise<Validation> {
  const errors: RunError[] = [];
  const known = new Set<string>();
  let total = 0;
  for await (const lines of batches) {
    signal.throwIfAborted();
    for (const line of lines) {
      total += 1;
      if (total > mostLines) return { total, errors: [...errors, tooMany(mostLines)] };
      const error = errorOf(line, endpoint, known);
      if (error !== undefined) errors.push({ ...error, line: line.number });
      if (errors.length === mostErrors) return { total, errors };
    }
  }
  if (total === 0)
    errors.push({ code: 'empty_file', message: 'The input file has no lines.', line: null, param: null });
  return { total, errors };
}

function errorOf(line: InputLine, endpoint: RunEndpoint, known: Set<string>): Omit<RunError, 'line'> | undefined {
  const read = readRunLine(line, endpoint);
  if (isFault(read)) return read;
  const digest = createHash('sha256').update(read.customId).digest().toString('latin1', 0, digestBytes);
  const isNew = !known.has(digest);
  known.add(digest);
  if (isNew) return undefined;
  const message = `The custom_id ${JSON.stringify(read.customId.slice(0, 100))} has appeared in an earlier line.`;
  return { code: 'duplicate_custom_id', message, param: 'custom_id' };
}

function tooMany(mostLines: number): RunError {
  const message = `The input file has more than ${mostLines} lines (RUN_LINES): send it as several batches.`;
  return { code: 'too_many_lines', message, line: null, param: null };
}

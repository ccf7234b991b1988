import { createHash } from 'node:crypto';
import type { RunCursor, RunEndpoint } from '@millrace/shared/redis/run-record';
import { problemsOf } from '@millrace/shared/tasks/problems';
import { z } from 'zod';
import type { InputLine } from './input-lines.ts';

/** Characters of a custom_id. */
const longestCustomId = 512;

const envelope = z.strictObject({
  custom_id: z.string().min(1).max(longestCustomId),
  method: z.literal('POST'),
  url: z.string(),
  body: z.record(z.string(), z.unknown()),
});

/** One request of a run. */
export interface RunLine {
  readonly number: number;
  readonly end: RunCursor;
  readonly customId: string;
  readonly body: Record<string, unknown>;
  /** Bytes of its text, about. */
  readonly bytes: number;
  /** Hex digits that stand for this line of this text, in whichever run. */
  readonly digest: string;
}

/** What is wrong with a line, in the words of OpenAI's batches. */
export interface LineFault {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
}

/** Reads a line of a run over `endpoint`: the request in it, or what is wrong. Whether its body is right is asked later. */
export function readRunLine(line: InputLine, endpoint: RunEndpoint): RunLine | LineFault {
  const { text, number, end } = line;
  if (text === undefined) return unreadable(line);
  const json = parse(text);
  if (json === undefined) return fault('invalid_json_line', 'This line is not parseable as valid JSON.', null);
  const parsed = envelope.safeParse(json);
  if (!parsed.success) return faultOf(parsed.error.issues, json);
  const { custom_id: customId, url, body } = parsed.data;
  if (url !== endpoint) {
    const message = `The URL ${JSON.stringify(url.slice(0, 100))} does not match the endpoint of the batch, ${endpoint}.`;
    return fault('mismatched_url', message, 'url');
  }
  const digest = createHash('sha256').update(`${number}:${text}`).digest('hex').slice(0, 32);
  return { number, end, customId, body, bytes: text.length, digest };
}

export function isFault(line: RunLine | LineFault): line is LineFault {
  return 'code' in line;
}

function unreadable({ fault: why }: InputLine): LineFault {
  if (why === 'too_long') return fault('line_too_long', 'This line is longer than BODY_LIMIT allows.', null);
  return fault('invalid_json_line', 'This line is not UTF-8.', null);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function faultOf(issues: readonly z.core.$ZodIssue[], json: unknown): LineFault {
  const [problem] = problemsOf(issues, json);
  if (problem === undefined) return fault('invalid_request', 'This line is no request.', null);
  const { path, got, expected } = problem;
  if (got === 'nothing') return fault('missing_required_parameter', `${path} is missing: ${expected}.`, path);
  const where = path === '' ? 'The line' : path;
  return fault('invalid_request', `${where}: got ${got}, expected ${expected}.`, path || null);
}

function fault(code: string, message: string, param: string | null): LineFault {
  return { code, message, param };
}

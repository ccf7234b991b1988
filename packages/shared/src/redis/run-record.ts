import { z } from 'zod';

/** What a line of a run asks for. */
export const runEndpoints = ['/v1/embeddings', '/v1/tasks'] as const;
export type RunEndpoint = (typeof runEndpoints)[number];

/**
 * How a run stands, in OpenAI's words: validating -> failed | in_progress; in_progress -> finalizing -> completed | expired;
 * validating, in_progress -> cancelling -> cancelled; any of those that have not ended -> failed, after faults that come again
 * and again.
 */
export const runStatuses = [
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled',
] as const;
export type RunStatus = (typeof runStatuses)[number];
export const endedRunStatuses = ['failed', 'completed', 'expired', 'cancelled'] as const satisfies readonly RunStatus[];

/** Why a run failed; with the line of its input when it is one line's fault. */
export const runErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  /** Counts from 1. */
  line: z.int().nullable(),
  param: z.string().nullable(),
});
export type RunError = z.infer<typeof runErrorSchema>;

/** A place in the input: so many lines and bytes are behind it. */
const cursorSchema = z.object({ line: z.int(), byte: z.int() });
export type RunCursor = z.infer<typeof cursorSchema>;

const number = z.coerce.number();
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

const runSchema = z.object({
  id: z.string(),
  endpoint: z.enum(runEndpoints),
  inputFileId: z.string(),
  completionWindow: z.string(),
  metadata: json(z.record(z.string(), z.string()).nullable()),
  /** BullMQ's priority of its tasks. */
  priority: number,
  /** How long its outputs are kept, in ms. */
  outputTtlMs: number,
  status: z.enum(runStatuses),
  /** All times in ms since 1970. */
  createdAt: number,
  expiresAt: number,
  inProgressAt: number.optional(),
  finalizingAt: number.optional(),
  completedAt: number.optional(),
  failedAt: number.optional(),
  expiredAt: number.optional(),
  cancellingAt: number.optional(),
  cancelledAt: number.optional(),
  /** Lines of the input; known once it is validated. */
  total: number,
  /** Lines whose result, or whose error, is safely stored. */
  completed: number,
  failed: number,
  inputTokens: number,
  /** All before it is safely stored. */
  cursor: json(cursorSchema),
  /** How it will end, while it is finalizing. */
  ending: z.enum(endedRunStatuses).optional(),
  outputFileId: z.string().optional(),
  errorFileId: z.string().optional(),
  errors: json(z.array(runErrorSchema)).optional(),
  /** Why it does not go on at the moment. */
  blocked: json(z.object({ code: z.string(), message: z.string() }).nullable()).optional(),
  /** Faults of Millrace's own since the last part was stored. */
  faults: number.optional(),
  linesPerSecond: number.optional(),
  /** The URL that is told of its end. */
  webhook: z.string().optional(),
});
/** All that is known of a run. */
export type Run = z.infer<typeof runSchema>;
export type RunChanges = Partial<Omit<Run, 'id'>>;

/** A run out of its hash; undefined when there is none. */
export function decodeRun(fields: Readonly<Record<string, string>>): Run | undefined {
  return Object.keys(fields).length === 0 ? undefined : runSchema.parse(fields);
}

/** Fields of a run as Redis keeps them: names and values in turn. */
export function encodeRun(changes: Partial<Run>): string[] {
  return Object.entries(changes).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [name, typeof value === 'string' || typeof value === 'number' ? value.toString() : JSON.stringify(value)];
  });
}

const partSchema = z.object({
  /** The name of what it adds to the output file, and to the error file. */
  output: z.string().optional(),
  errors: z.string().optional(),
});
/** A stored piece of a run's output. */
export type RunPart = z.infer<typeof partSchema>;

export function decodePart(text: string): RunPart {
  return partSchema.parse(JSON.parse(text));
}

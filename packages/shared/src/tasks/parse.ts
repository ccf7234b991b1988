import { MillraceError, type Problem } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import type { TaskLimits, TaskType } from './define-task-type.ts';
import { describe, problemsOf } from './problems.ts';
import { type JobData, jobDataSchema, submittedTaskSchema, type TaskOptions } from './task.ts';

/** What the doors check against: the types there are, and the limits where a setting moves them. */
export interface Door {
  readonly catalog: Catalog;
  /** Limits by type that win over the type's own. */
  readonly limits?: ReadonlyMap<string, TaskLimits>;
}

/** A task that has passed a door: what follows trusts it. */
export interface ParsedTask {
  readonly taskType: TaskType;
  readonly input: unknown;
  /** The input as JSON, in bytes. */
  readonly inputBytes: number;
  readonly options: TaskOptions;
}

/** A job that has passed the worker's door. */
export interface ParsedJob {
  readonly taskType: TaskType;
  readonly input: unknown;
  /** The input as JSON, in bytes. */
  readonly inputBytes: number;
  readonly data: JobData;
}

/**
 * The producer's door: unknown -> task.
 * @throws MillraceError UNSUPPORTED_TASK_TYPE, INPUT_TOO_LARGE, or INVALID_INPUT with every problem at once.
 */
export function parseTask(door: Door, submitted: unknown): ParsedTask {
  const parsed = submittedTaskSchema.safeParse(submitted);
  const problems = parsed.success ? [] : problemsOf(parsed.error.issues.filter(isNotOfInput), submitted);
  const raw = isRecord(submitted) ? submitted : {};
  if (typeof raw['type'] !== 'string') throw invalid(problems);
  const taskType = findType(door.catalog, raw['type']);
  // Problems of the input are reported beside those of the options, so the input is parsed in any case.
  const { input, bytes: inputBytes } = parseInput(door, taskType, raw['input'], problems);
  if (!parsed.success) throw invalid(problems);
  const { type: _type, input: _input, ...options } = parsed.data;
  return { taskType, input, inputBytes, options };
}

/**
 * The worker's door, for any program may write to a queue.
 * @throws MillraceError as parseTask does.
 */
export function parseJob(door: Door, name: string, data: unknown): ParsedJob {
  const taskType = findType(door.catalog, name);
  const parsed = jobDataSchema.safeParse(data);
  const problems = parsed.success ? [] : problemsOf(parsed.error.issues.filter(isNotOfInput), data, 'data');
  const raw = isRecord(data) ? data : {};
  const { input, bytes: inputBytes } = parseInput(door, taskType, raw['input'], problems);
  if (!parsed.success) throw invalid(problems);
  return { taskType, input, inputBytes, data: parsed.data };
}

/** The limits of a type under the settings. */
export function limitsOf(door: Door, taskType: TaskType): TaskLimits {
  return door.limits?.get(taskType.type) ?? taskType.limits;
}

function findType(catalog: Catalog, name: string): TaskType {
  const taskType = catalog.get(name);
  if (taskType !== undefined) return taskType;
  const known = [...catalog.keys()].sort();
  throw new MillraceError(
    'UNSUPPORTED_TASK_TYPE',
    `There is no task type ${describe(name)}; there are: ${known.join(', ')}.`,
    {
      problems: [
        {
          path: 'type',
          got: describe(name),
          expected: `one of ${known.join(', ')}`,
          remedy: 'Use a type of that list.',
        },
      ],
    },
  );
}

/** Of an input that is missing the type's own schema says more. */
function isNotOfInput({ path }: { readonly path: readonly PropertyKey[] }): boolean {
  return path[0] !== 'input';
}

function parseInput(
  door: Door,
  taskType: TaskType,
  input: unknown,
  problems: Problem[],
): { input: unknown; bytes: number } {
  const bytes = checkBytes(limitsOf(door, taskType), taskType, input);
  checkLists(limitsOf(door, taskType), taskType, input);
  const parsed = taskType.input.safeParse(input);
  if (!parsed.success) {
    problems.push(...problemsOf(parsed.error.issues, input, 'input'));
    throw invalid(problems);
  }
  const items = taskType.size(parsed.data);
  const limits = limitsOf(door, taskType);
  if (items > limits.items) throw tooLarge(taskType, `${items} items`, `at most ${limits.items} items`);
  return { input: parsed.data, bytes };
}

/** The bytes of an input, if they are not too many. */
function checkBytes(limits: TaskLimits, taskType: TaskType, input: unknown): number {
  if (input === undefined) return 0;
  const bytes = Buffer.byteLength(toJson(input));
  if (bytes > limits.bytes) throw tooLarge(taskType, `${bytes} bytes of JSON`, `at most ${limits.bytes} bytes`);
  return bytes;
}

/** What is nested so deeply that V8 cannot write it nobody else could read either. */
function toJson(input: unknown): string {
  try {
    return JSON.stringify(input);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const expected = 'JSON of fewer levels';
    throw invalid([{ path: 'input', got: 'JSON of thousands of levels', expected, remedy: 'Make it flatter.' }]);
  }
}

/** Lists longer than this are only looked into when the type takes as many items. */
const longestList = 10_000;

/** Before zod looks at each entry: millions of wrong ones would make millions of issues, and end the process. */
function checkLists(limits: TaskLimits, taskType: TaskType, input: unknown): void {
  if (!isRecord(input)) return;
  const longest = Math.max(limits.items, longestList);
  for (const value of Object.values(input)) {
    if (!Array.isArray(value) || value.length <= longest) continue;
    throw tooLarge(taskType, `a list of ${value.length} entries`, `lists of at most ${longest} entries`);
  }
}

function tooLarge(taskType: TaskType, got: string, expected: string): MillraceError {
  const remedy = 'Send it as several tasks.';
  return new MillraceError('INPUT_TOO_LARGE', `The input of ${taskType.type} has ${got}; a task takes ${expected}.`, {
    problems: [{ path: 'input', got, expected, remedy }],
  });
}

function invalid(problems: readonly Problem[]): MillraceError {
  const [first] = problems;
  const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const detail = first
    ? `${first.path || 'the task'}: got ${first.got}, expected ${first.expected}${rest}.`
    : 'The task is not valid.';
  return new MillraceError('INVALID_INPUT', detail, { problems });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

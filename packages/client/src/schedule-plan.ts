import { MillraceError, type Problem, toMillraceError } from '@millrace/shared/errors';
import { nextCronTime } from '@millrace/shared/queues';
import { type Door, type ParsedTask, parseTask } from '@millrace/shared/tasks/parse';
import { problemsOf } from '@millrace/shared/tasks/problems';
import { scheduleName, submittedScheduleSchema } from '@millrace/shared/tasks/schedule';

/** A schedule that has passed the door. */
export interface SchedulePlan {
  readonly name: string;
  readonly cron: string | undefined;
  readonly everyMs: number | undefined;
  readonly tz: string | undefined;
  readonly task: ParsedTask;
}

type Submitted = ReturnType<typeof submittedScheduleSchema.parse>;

/**
 * Checks a schedule, its task by the producer's door.
 * @throws MillraceError INVALID_REQUEST with every problem at once; INVALID_INPUT, INPUT_TOO_LARGE, UNSUPPORTED_TASK_TYPE when
 * only the task is wrong.
 */
export function parseSchedule(door: Door, name: string, submitted: unknown): SchedulePlan {
  const parsed = submittedScheduleSchema.safeParse(submitted);
  const problems = [
    ...problemsOf(scheduleName.safeParse(name).error?.issues ?? [], name, 'name'),
    // The producer's door says more of a task that is missing.
    ...(parsed.success
      ? timeProblems(parsed.data)
      : problemsOf(
          parsed.error.issues.filter(({ path }) => path[0] !== 'task'),
          submitted,
        )),
  ];
  const task = parseScheduledTask(door, taskIn(submitted));
  if (problems.length > 0 || !parsed.success) {
    throw invalid('INVALID_REQUEST', [...problems, ...(task instanceof MillraceError ? task.problems : [])]);
  }
  if (task instanceof MillraceError) throw task;
  const { cron, everyMs, tz } = parsed.data;
  return { name, cron, everyMs, tz, task };
}

/** The task, or what is wrong with it, at paths below `task`. */
function parseScheduledTask(door: Door, submitted: unknown): ParsedTask | MillraceError {
  const misplaced = ['delayMs', 'expiresInMs'].filter((field) => hasField(submitted, field)).map(misplacedField);
  try {
    const task = parseTask(door, submitted);
    return misplaced.length === 0 ? task : invalid('INVALID_INPUT', misplaced);
  } catch (thrown) {
    const { code, message, problems } = toMillraceError(thrown);
    const below = problems.map((problem) => ({
      ...problem,
      path: problem.path === '' ? 'task' : `task.${problem.path}`,
    }));
    return new MillraceError(code, message, { problems: [...below, ...misplaced] });
  }
}

function misplacedField(field: string): Problem {
  const expected = 'no such field in a schedule';
  return {
    path: `task.${field}`,
    got: 'a value',
    expected,
    remedy: 'Remove it: the schedule says when its tasks run.',
  };
}

function timeProblems({ cron, everyMs, tz }: Submitted): Problem[] {
  if ((cron === undefined) === (everyMs === undefined)) {
    const got = cron === undefined ? 'neither' : 'both';
    return [{ path: 'cron', got, expected: 'either cron or everyMs', remedy: 'Give one of the two.' }];
  }
  if (cron === undefined) {
    const remedy = 'Remove it: every so many ms is the same in every time zone.';
    return tz === undefined
      ? []
      : [{ path: 'tz', got: JSON.stringify(tz), expected: 'no such field beside everyMs', remedy }];
  }
  const wrong = cronFault(cron, tz);
  if (wrong === undefined) return [];
  return [
    {
      path: 'cron',
      got: JSON.stringify(cron),
      expected: `a cron pattern (${wrong})`,
      remedy: 'For example 0 3 * * *.',
    },
  ];
}

function cronFault(cron: string, tz: string | undefined): string | undefined {
  try {
    return nextCronTime({ cron, tz }, Date.now()) === undefined ? 'it is never due' : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function invalid(code: 'INVALID_REQUEST' | 'INVALID_INPUT', problems: readonly Problem[]): MillraceError {
  const [first] = problems;
  const detail = first ? `${first.path}: got ${first.got}, expected ${first.expected}.` : 'The schedule is not valid.';
  return new MillraceError(code, detail, { problems });
}

function taskIn(submitted: unknown): unknown {
  return typeof submitted === 'object' && submitted !== null && 'task' in submitted ? submitted.task : undefined;
}

function hasField(value: unknown, field: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, field);
}

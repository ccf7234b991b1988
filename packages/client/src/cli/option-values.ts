import { type TaskOptions, taskOptionsSchema } from '@millrace/shared/tasks/task';
import { InvalidArgumentError } from 'commander';

const unitsMs = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A whole number from `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
  };
}

/** `500ms`, `10s`, `5m`, `2h`, `1d`; a bare number is seconds. In ms. */
export function duration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h|d)?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Expected a time such as 500ms, 10s, 5m, 2h or 1d.');
  return Math.round(Number(number) * unitsMs[unit as keyof typeof unitsMs]);
}

export type Priority = NonNullable<TaskOptions['priority']>;

/** A name, or a number of BullMQ's. */
export function priority(text: string): Priority {
  const value = /^\d+$/.test(text) ? Number(text) : text;
  const parsed = taskOptionsSchema.shape.priority.safeParse(value);
  if (parsed.success && parsed.data !== undefined) return parsed.data;
  throw new InvalidArgumentError('Expected critical, high, normal, low or a whole number from 1 to 2,097,151.');
}

export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`Expected JSON: ${(error as Error).message}.`);
  }
}

/** Of an option that may be given several times. */
export function oneMore(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

import { fileURLToPath } from 'node:url';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import { parseTask } from '@millrace/shared/tasks/parse';
import type { CallStat, ItemOutcome, Processor } from '@millrace/shared/tasks/processor';
import { Models } from '../src/inference/models.ts';
import { transformersRuntime } from '../src/inference/runtimes/transformers.ts';

export const bundledDir = fileURLToPath(new URL('../../../models', import.meta.url));
export const tinyDir = fileURLToPath(new URL('../../../test/models', import.meta.url));

/** Models of a folder, as a lane has them. */
export function modelsOf(modelsDir: string): Models {
  const runtime = transformersRuntime({ modelsDir, threads: 1 });
  return new Models({ runtime, modelsDir, memoryLimit: 2 ** 30, now: Date.now });
}

/** Runs tasks of a type as door, lane and join do, all items of a task in one call. */
export function taskRunner<Input, Output, Item, Value>(
  taskType: TaskType<Input, Output, Item, Value>,
  processor: Processor<Item, Value>,
) {
  const parse = (input: unknown): Input => {
    const door = { catalog: new Map([[taskType.type, taskType as TaskType]]) };
    return parseTask(door, { type: taskType.type, input }).input as Input;
  };
  /** The outcomes of a call, and what it read. */
  const call = async (items: readonly Item[]) => {
    const counts = { realTokens: 0, paddedTokens: 0 };
    const count = (stat: CallStat, by: number) => {
      counts[stat] += by;
    };
    const outcomes = await processor.process(items, { signal: new AbortController().signal, count });
    return { outcomes, ...counts };
  };
  const outcomesOf = async (input: unknown): Promise<readonly ItemOutcome<Value>[]> =>
    (await call(taskType.items(parse(input)))).outcomes;
  /** The output of a task whose items all succeed. */
  const run = async (input: unknown): Promise<Output> => {
    const values = (await outcomesOf(input)).map((outcome) => {
      if (outcome.ok) return outcome.value;
      throw new Error(`${outcome.code}: ${outcome.message}`);
    });
    return taskType.output.parse(taskType.join(values, parse(input)));
  };
  return { parse, call, outcomesOf, run };
}

/** What the door says of an input: each problem as `path: expected`. */
export function refusal(parse: () => unknown): string[] {
  try {
    parse();
    return [];
  } catch (error) {
    const { problems } = error as { problems: { path: string; expected: string; remedy: string }[] };
    return problems.map(({ path, expected, remedy }) => {
      if (remedy === '') throw new Error(`${path} has no remedy`);
      return `${path}: ${expected}`;
    });
  }
}

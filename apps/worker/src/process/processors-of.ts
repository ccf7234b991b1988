import type { BuiltinType, builtinTaskTypes } from '@millrace/shared/tasks/catalog';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import type { Processor } from '@millrace/shared/tasks/processor';
import type { Family } from '@millrace/shared/tasks/task';

type ProcessorOf<T> =
  T extends TaskType<infer _Input, infer _Output, infer Item, infer Value> ? Processor<Item, Value> : never;

/** The processor of every built-in type of a family: a type without one does not compile. */
export type ProcessorsOf<F extends Family> = {
  readonly [T in BuiltinType & `${F}.${string}`]: ProcessorOf<(typeof builtinTaskTypes)[T]>;
};

import type { InputOf as BuiltinInput, OutputOf as BuiltinOutput, BuiltinType } from '@millrace/shared/tasks/catalog';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';

/** The task types that a client is given beside the built-in ones. */
export type OwnTypes = readonly TaskType[];

/** The names of all types that a client knows. */
export type TypeName<Own extends OwnTypes> = BuiltinType | Own[number]['type'];

/** What a type takes. */
export type InputOf<Own extends OwnTypes, T extends string> = T extends BuiltinType
  ? BuiltinInput<T>
  : Named<Own[number], T>['example'];

/** What a type gives, vectors as `Float32Array[]`. */
export type OutputOf<Own extends OwnTypes, T extends string> = T extends BuiltinType
  ? BuiltinOutput<T>
  : ReturnType<Named<Own[number], T>['join']>;

/** Those of some types that have a name. */
type Named<Some extends TaskType, T> = Some extends TaskType ? (T extends Some['type'] ? Some : never) : never;

import type { z } from 'zod';
import type { TaskType } from './define-task-type.ts';
import { classify } from './inference/classify.ts';
import { embed } from './inference/embed.ts';
import { pipeline } from './inference/pipeline.ts';
import { rerank } from './inference/rerank.ts';
import type { Family } from './task.ts';
import { analyze } from './text/analyze.ts';
import { chunk } from './text/chunk.ts';
import { clean } from './text/clean.ts';
import { deduplicate } from './text/deduplicate.ts';
import { redact } from './text/redact.ts';
import { summarize } from './text/summarize.ts';
import { deletePoints } from './vector/delete.ts';
import { documents } from './vector/documents.ts';
import { search } from './vector/search.ts';
import { upsert } from './vector/upsert.ts';

/** Every built-in type. A type that is added here is validated, documented, batched and typed everywhere. */
export const builtinTaskTypes = {
  'inference.embed': embed,
  'inference.classify': classify,
  'inference.rerank': rerank,
  'inference.pipeline': pipeline,
  'text.analyze': analyze,
  'text.chunk': chunk,
  'text.clean': clean,
  'text.deduplicate': deduplicate,
  'text.redact': redact,
  'text.summarize': summarize,
  'vector.upsert': upsert,
  'vector.documents': documents,
  'vector.delete': deletePoints,
  'vector.search': search,
} as const;

export type BuiltinType = keyof typeof builtinTaskTypes;
export type InputOf<T extends BuiltinType> = z.infer<(typeof builtinTaskTypes)[T]['input']>;
export type OutputOf<T extends BuiltinType> = z.infer<(typeof builtinTaskTypes)[T]['output']>;

/** The types that a process knows, by name. */
export type Catalog = ReadonlyMap<string, TaskType>;

/** A catalog of the built-in types and any others; a name that is there twice is an error of the caller. */
export function createCatalog(others: readonly TaskType[] = []): Catalog {
  const catalog = new Map<string, TaskType>();
  for (const taskType of [...Object.values<TaskType>(builtinTaskTypes), ...others]) {
    if (catalog.has(taskType.type)) throw new Error(`task type ${taskType.type} is defined twice`);
    catalog.set(taskType.type, taskType);
  }
  return catalog;
}

/** The types of one family. */
export function taskTypesOf(catalog: Catalog, family: Family): TaskType[] {
  return [...catalog.values()].filter((taskType) => taskType.family === family);
}

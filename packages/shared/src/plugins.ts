import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from './errors.ts';
import type { TaskType } from './tasks/define-task-type.ts';
import type { TypedProcessor } from './tasks/processor.ts';

/** What modules of a user's own add. */
export interface Plugins {
  readonly taskTypes: readonly TaskType[];
  readonly processors: readonly TypedProcessor[];
}

/**
 * Loads the modules that MILLRACE_PLUGINS names and takes what they export: task types (`defineTaskType`) and processors
 * (`defineProcessor`). A name that begins with a dot or a slash is a file, from the working folder; any other a package.
 * @throws MillraceError CONFIG_INVALID when a module does not load or exports neither.
 */
export async function loadPlugins(names: readonly string[]): Promise<Plugins> {
  const modules = await Promise.all(names.map(loadModule));
  const exported = modules.flat();
  return { taskTypes: exported.filter(isTaskType), processors: exported.filter(isProcessor) };
}

async function loadModule(name: string): Promise<unknown[]> {
  const isFile = name.startsWith('.') || path.isAbsolute(name);
  let exported: unknown[];
  try {
    const module: Record<string, unknown> = await import(isFile ? pathToFileURL(path.resolve(name)).href : name);
    exported = Object.values(module);
  } catch (error) {
    throw new MillraceError('CONFIG_INVALID', `MILLRACE_PLUGINS: ${name} does not load: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (exported.some((value) => isTaskType(value) || isProcessor(value))) return exported;
  throw new MillraceError(
    'CONFIG_INVALID',
    `MILLRACE_PLUGINS: ${name} exports neither a task type (defineTaskType) nor a processor (defineProcessor).`,
  );
}

function isTaskType(value: unknown): value is TaskType {
  return (
    isRecord(value) && typeof value['type'] === 'string' && typeof value['join'] === 'function' && 'input' in value
  );
}

function isProcessor(value: unknown): value is TypedProcessor {
  return isRecord(value) && typeof value['type'] === 'string' && typeof value['process'] === 'function';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

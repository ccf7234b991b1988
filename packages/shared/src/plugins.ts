import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from './errors.ts';
import { pluginProblems } from './plugin-problems.ts';
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
 * @throws MillraceError CONFIG_INVALID when a module does not load or exports neither, or when types and processors do not
 * fit together; all that is wrong with them at once.
 */
export async function loadPlugins(names: readonly string[]): Promise<Plugins> {
  const modules = await Promise.all(names.map(loadModule));
  const exported = modules.flat();
  const plugins = { taskTypes: exported.filter(isTaskType), processors: exported.filter(isProcessor) };
  const problems = pluginProblems(plugins);
  if (problems.length > 0) throw invalid(problems.join(' '));
  return plugins;
}

async function loadModule(name: string): Promise<unknown[]> {
  const isFile = name.startsWith('.') || path.isAbsolute(name);
  let exported: unknown[];
  try {
    const module: Record<string, unknown> = await import(isFile ? pathToFileURL(path.resolve(name)).href : name);
    exported = Object.values(module);
  } catch (error) {
    throw invalid(`${name} does not load: ${(error as Error).message}.${hint(error, name)}`, error);
  }
  if (exported.some((value) => isTaskType(value) || isProcessor(value))) return exported;
  throw invalid(`${name} exports neither a task type (defineTaskType) nor a processor (defineProcessor).`);
}

/** What to do about a module that does not load, where that can be told. */
function hint(error: unknown, name: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return ' Compile it to JavaScript: this Node runs no TypeScript.';
  if (code !== 'ERR_MODULE_NOT_FOUND') return '';
  const [, missing] = /Cannot find package '((?:@[^/']+\/)?[^/']+)/.exec(message) ?? [];
  if (missing === undefined) return ` A file is looked for from ${process.cwd()}; write it with ./ or in full.`;
  if (name.startsWith(missing))
    return ' Install the package beside Millrace, or write the path of a file with ./ or in full.';
  return ` A module finds packages from its own folder upwards: keep it below the folder of Millrace, or install ${missing} where it is (docs/plugins.md).`;
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError('CONFIG_INVALID', `MILLRACE_PLUGINS: ${message}`, { cause });
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

import { builtinTaskTypes } from './tasks/catalog.ts';
import type { TaskType } from './tasks/define-task-type.ts';
import { problemsOf } from './tasks/problems.ts';
import type { TypedProcessor } from './tasks/processor.ts';
import { families } from './tasks/task.ts';

interface Exported {
  readonly taskTypes: readonly TaskType[];
  readonly processors: readonly TypedProcessor[];
}

/** What is wrong with the types and processors of plugins, each in one sentence: better at the start than with the first task. */
export function pluginProblems({ taskTypes, processors }: Exported): string[] {
  const typeNames = taskTypes.map(({ type }) => type);
  const processorNames = processors.map(({ type }) => type);
  return [
    ...repeated([...Object.keys(builtinTaskTypes), ...typeNames]).map((type) => `The type ${type} is defined twice.`),
    ...repeated(processorNames).map((type) => `The type ${type} has two processors.`),
    ...typeNames
      .filter((type) => !processorNames.includes(type))
      .map((type) => `The type ${type} has no processor: export one (defineProcessor).`),
    ...processorNames
      .filter((type) => !typeNames.some((name) => name === type))
      .map((type) => `There is a processor for ${type}, but no such type of a plugin: export it (defineTaskType).`),
    ...taskTypes.flatMap(typeProblems),
  ];
}

function typeProblems({ type, family, input, output, example }: TaskType): string[] {
  const problems: string[] = [];
  if (!families.includes(family))
    problems.push(`The family of ${type} is ${family}; there are ${families.join(', ')}.`);
  if (!type.startsWith(`${family}.`) || !/^[a-z]+\.[a-z][a-z0-9-]*$/.test(type))
    problems.push(`A type is named family.name, in lower case; ${type} of family ${family} is not.`);
  // A schema of another library, or of zod 3, could be asked but not described.
  if (![input, output].every((schema) => typeof schema === 'object' && schema !== null && '_zod' in schema))
    return [...problems, `The input and output of ${type} must be schemas of zod 4.`];
  const parsed = input.safeParse(example);
  if (!parsed.success) {
    const [first] = problemsOf(parsed.error.issues, example, 'example');
    problems.push(`The example of ${type} is no input of it: ${first?.path} is ${first?.got}, not ${first?.expected}.`);
  }
  return problems;
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

import type { z } from 'zod';
import type { Problem } from '../errors.ts';

type Issue = z.core.$ZodIssue;

/** A hundred tell enough; a body of megabytes could otherwise have millions. */
const mostProblems = 100;

/**
 * The problems that zod found, in Millrace's words, the first hundred; `input` is what was parsed, `prefix` the path that led
 * to it.
 */
export function problemsOf(issues: readonly Issue[], input: unknown, prefix = ''): Problem[] {
  return issues
    .slice(0, mostProblems)
    .flatMap((issue) => problemsOfIssue(issue, input, prefix))
    .slice(0, mostProblems);
}

function problemsOfIssue(issue: Issue, input: unknown, prefix: string): Problem[] {
  const path = formatPath(prefix, issue.path);
  const value = valueAt(input, issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, mostProblems).map((key) => ({
      path: formatPath(path, [key]),
      got: describe(valueAt(value, [key])),
      expected: 'no such field',
      remedy: 'Remove it, or check its spelling.',
    }));
  }
  const expected = expectation(issue);
  const remedy = value === undefined ? `Add ${path || 'it'}: ${expected}.` : `Change it to ${expected}.`;
  return [{ path, got: describe(value), expected, remedy }];
}

/** What would have been right; one sentence part that fits behind "Change it to". */
function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return article(issue.expected);
    case 'invalid_value':
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`;
    case 'invalid_union':
      // A union that is told apart by one of its fields has no branches to report when that field is wrong.
      return issue.errors.length === 0 ? issue.message : unionExpectation(issue.errors);
    default:
      return issue.message;
  }
}

function unionExpectation(branches: readonly (readonly Issue[])[]): string {
  const parts = branches.flatMap((branch) => branch.slice(0, 1).map(expectation));
  return [...new Set(parts)].join(', or ') || 'another value';
}

function article(expected: string): string {
  if (expected === 'int') return 'a whole number';
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

function unitOf(origin: string, count: number | bigint): string {
  const one = Number(count) === 1;
  if (origin === 'string') return one ? ' character' : ' characters';
  if (origin === 'array') return one ? ' entry' : ' entries';
  return '';
}

/** A path as a programmer writes it: `texts[3]`, `backoff.delayMs`. */
function formatPath(prefix: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = clip(String(key), 80);
    return text === '' ? name : `${text}.${name}`;
  }, prefix);
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Record<PropertyKey, unknown>)[key];
  }, input);
}

/** What was there: the kind, and a short value; never a payload. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length} characters`;
  if (typeof value === 'object') return 'an object';
  return clip(String(value), 40);
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

import type { LineFault } from './line-fault.ts';

/** The most names of fields that a message lists. */
const mostListed = 10;

/** Whether a record has named fields. */
export function hasFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with a record that lacks a field; `option` names another. */
export function missing(field: string, { value, option }: { value: unknown; option: string }): LineFault {
  if (!hasFields(value))
    return invalid(`The line is ${kindOf(value)} without fields, so it has no ${JSON.stringify(field)}.`);
  const names = Object.keys(value);
  const listed = names.slice(0, mostListed).join(', ') + (names.length > mostListed ? ', …' : '');
  return invalid(`There is no field ${JSON.stringify(field)} among ${listed || 'none'}: name another with ${option}.`);
}

export function invalid(message: string): LineFault {
  return { code: 'INVALID_INPUT', message };
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

import { hasFields } from './record-fields.ts';
import { Refusal } from './refusal.ts';

/** Makes an input of a record; undefined when the record lacks the field that is given. */
export type FillTemplate = (value: unknown) => { readonly input: unknown } | { readonly missing: string };

const wholePlaceholder = /^\{\{\s*([^{}]+?)\s*\}\}$/;
const placeholder = /\{\{\s*([^{}]+?)\s*\}\}/g;

/** What a record without fields is called. */
export const wholeRecord = 'text';

/**
 * An input with places for the fields of a record: `{"texts": ["{{body}}"], "format": "html"}`. A string that is one place takes the
 * field as it is, of whatever kind; in the middle of others it becomes text. A line without fields is `{{text}}`.
 * @throws Refusal when it is not JSON, or has no place.
 */
export function inputTemplate(text: string): FillTemplate {
  let template: unknown;
  try {
    template = JSON.parse(text);
  } catch (error) {
    throw new Refusal(
      `--input-template is not JSON (${(error as Error).message}): write e.g. '{"texts": ["{{text}}"]}'.`,
    );
  }
  if (text.search(placeholder) === -1) {
    throw new Refusal(`--input-template has no place such as {{text}} in it: every line would give the same input.`);
  }
  return (value) => {
    const fields = hasFields(value) ? value : { [wholeRecord]: value };
    const lacking = new Set<string>();
    const input = filled(template, (name) => {
      if (!Object.hasOwn(fields, name)) lacking.add(name);
      return fields[name];
    });
    const [first] = lacking;
    return first === undefined ? { input } : { missing: first };
  };
}

function filled(part: unknown, fieldOf: (name: string) => unknown): unknown {
  if (typeof part === 'string') {
    const [, whole] = wholePlaceholder.exec(part) ?? [];
    if (whole !== undefined) return fieldOf(whole);
    return part.replaceAll(placeholder, (_, name: string) => {
      const value = fieldOf(name);
      return typeof value === 'string' ? value : JSON.stringify(value);
    });
  }
  if (Array.isArray(part)) return part.map((entry) => filled(entry, fieldOf));
  if (!hasFields(part)) return part;
  return Object.fromEntries(Object.entries(part).map(([name, entry]) => [name, filled(entry, fieldOf)]));
}

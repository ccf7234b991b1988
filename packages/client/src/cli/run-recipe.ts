import type { ReadItem, Recipe } from './flow/recipe.ts';
import type { FillTemplate } from './input-template.ts';
import { hasFields, missing } from './record-fields.ts';

interface RunRecipeOptions {
  readonly type: string;
  readonly fill: FillTemplate | undefined;
  readonly idField: string | undefined;
}

/** Every record an input of a type, or what makes one of a template. */
export function runRecipe({ type, fill, idField }: RunRecipeOptions): Recipe<unknown> {
  return {
    type,
    itemsPath: undefined,
    fatal: ['UNSUPPORTED_TASK_TYPE', 'LANE_FAILED'],
    itemOf(value) {
      const read = inputIn(value, fill);
      if (!('item' in read) || idField === undefined) return read;
      const id = hasFields(value) ? value[idField] : undefined;
      return id === undefined ? missing(idField, { value, option: '--id-field' }) : { item: read.item, id };
    },
    fits: () => false,
    inputOf: ([input]) => input,
    rowsOf: (output) => [{ vector: undefined, fields: { output } }],
    makerOf: () => undefined,
  };
}

function inputIn(value: unknown, fill: FillTemplate | undefined): ReadItem<unknown> {
  if (fill === undefined) return { item: value, id: undefined };
  const filled = fill(value);
  if ('missing' in filled) return missing(filled.missing, { value, option: 'another {{place}} in --input-template' });
  return { item: filled.input, id: undefined };
}

import type { ReadItem, Recipe } from './flow/recipe.ts';
import { hasFields, invalid, kindOf, missing } from './record-fields.ts';
import type { Row } from './writers/row-format.ts';

interface EmbedRecipeOptions {
  /** Where a record with named fields has its text. */
  readonly field: string;
  readonly fieldOption: string;
  readonly idField: string | undefined;
  /** Whether rows have the text. */
  readonly withText: boolean;
  /** What else goes into the input of each task. */
  readonly common: Readonly<Record<string, unknown>>;
}

/**
 * Of one task. Few in the beginning, so that many workers share a short file; as many as a task may have once a file turns out to be
 * long: that takes a twentieth off all processors' time for a text.
 */
const textsPerTask = { atFirst: 64, later: 256 } as const;
const atFirst = 4096;
/** Characters of one task: well below its limit in bytes. */
const charactersPerTask = 200_000;

/** Texts to vectors. */
export function embedRecipe(options: EmbedRecipeOptions): Recipe<string> {
  return {
    type: 'inference.embed',
    itemsPath: 'input.texts',
    fatal: ['MODEL_NOT_AVAILABLE', 'MODEL_DAMAGED', 'LANE_FAILED'],
    itemOf: (value) => textIn(value, options),
    fits(texts, next, index) {
      if (texts.length >= (index < atFirst ? textsPerTask.atFirst : textsPerTask.later)) return false;
      return texts.reduce((sum, text) => sum + text.length, next.length) <= charactersPerTask;
    },
    inputOf: (texts) => ({ ...options.common, texts }),
    rowsOf: (output, texts) => rowsOf(output as unknown as EmbedOutput, options.withText ? texts : undefined),
    makerOf: ({ model, fingerprint }) => `${model} (${fingerprint})`,
  };
}

interface EmbedOutput {
  readonly embeddings: readonly Float32Array[];
  readonly tokens: readonly number[];
  readonly truncated: readonly boolean[];
}

function rowsOf({ embeddings, tokens, truncated }: EmbedOutput, texts: readonly string[] | undefined): Row[] {
  return embeddings.map((vector, at) => ({
    vector,
    fields: {
      ...(texts === undefined ? {} : { text: texts[at] }),
      tokens: tokens[at],
      truncated: truncated[at],
    },
  }));
}

function textIn(value: unknown, { field, fieldOption, idField }: EmbedRecipeOptions): ReadItem<string> {
  const record = hasFields(value) ? value : undefined;
  const text = record === undefined ? value : record[field];
  if (text === undefined) return missing(field, { value, option: fieldOption });
  if (typeof text !== 'string') return invalid(`Expected a text, got ${kindOf(text)}.`);
  if (text.trim() === '') return invalid('The text is empty: leave such lines out.');
  if (idField === undefined) return { item: text, id: undefined };
  const id = record?.[idField];
  return id === undefined ? missing(idField, { value, option: '--id-field' }) : { item: text, id };
}

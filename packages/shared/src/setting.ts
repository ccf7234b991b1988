import { z } from 'zod';

/** One environment variable: its schema, and what .env.example and docs say of it. */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  /** As it would stand in the environment; undefined when there is none. */
  readonly default: string | undefined;
  readonly meaning: string;
  /** What a value looks like: unit and bounds. */
  readonly form: string;
}

/** A setting that always has a value. */
export interface SettingWithDefault<Schema extends z.ZodType> extends Setting<Schema> {
  readonly default: string;
}

interface IntegerFacts {
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}

/** A whole number within bounds. */
export function integerSetting(
  facts: IntegerFacts & { default: number },
  meaning: string,
): SettingWithDefault<z.ZodType<number, string>> {
  return { ...optionalIntegerSetting(facts, meaning), default: facts.default.toString() };
}

/** The same where what is right depends on the machine. */
export function optionalIntegerSetting(facts: IntegerFacts, meaning: string): Setting<z.ZodType<number, string>> {
  const { min, max, unit } = facts;
  const form = `${unit}, ${min} to ${max}`;
  const schema = z
    .string()
    .regex(/^\d+$/, { error: `a whole number (${form})` })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: `a number of ${form}` });
  return { schema, default: undefined, meaning, form };
}

/** One of some words. */
export function choiceSetting<const Word extends string>(
  words: readonly [Word, ...Word[]],
  facts: { default: Word },
  meaning: string,
): SettingWithDefault<z.ZodType<Word, string>> {
  const form = words.join(' | ');
  const schema = z
    .string()
    .refine((value): value is Word => words.some((word) => word === value), { error: `one of ${form}` })
    .transform((value) => value as Word);
  return { schema, default: facts.default, meaning, form };
}

/** Words with commas between. */
export function listSetting<const Word extends string>(
  words: readonly [Word, ...Word[]],
  meaning: string,
): SettingWithDefault<z.ZodType<Word[], string>> {
  const schema = z
    .string()
    .transform((value) => value.split(',').map((word) => word.trim()))
    .refine((list) => list.every((word) => words.some((known) => known === word)), {
      error: `some of ${words.join(', ')}, with commas between`,
    })
    .transform((list) => list as Word[]);
  return { schema, default: words.join(','), meaning, form: 'a list with commas' };
}

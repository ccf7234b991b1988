import { config as loadDotenv } from 'dotenv';
import type { z } from 'zod';
import { MillraceError, type Problem } from './errors.ts';
import { type SettingName, settings } from './settings.ts';
import { describe } from './tasks/problems.ts';

type Value<Name extends SettingName> = z.output<(typeof settings)[Name]['schema']>;
type MaybeUnset<Name extends SettingName> = (typeof settings)[Name]['default'] extends string
  ? Value<Name>
  : Value<Name> | undefined;
export type Settings<Name extends SettingName> = { readonly [Key in Name]: MaybeUnset<Key> };

/**
 * Reads settings from the environment and, below it, from `.env` of the working folder: the only reader of process.env. An
 * empty variable counts as unset.
 * @throws MillraceError CONFIG_INVALID with every problem at once.
 */
export function readSettings<const Name extends SettingName>(
  names: readonly Name[],
  env: NodeJS.ProcessEnv = readEnvironment(),
): Settings<Name> {
  const problems: Problem[] = [];
  const entries = names.map((name) => [name, readSetting(name, env[name], problems)]);
  if (problems.length > 0) {
    const list = problems.map(({ path, got, expected }) => `${path} is ${got}, expected ${expected}`).join('; ');
    throw new MillraceError('CONFIG_INVALID', `${list}. See .env.example.`, { problems });
  }
  return Object.fromEntries(entries) as Settings<Name>;
}

/** Whether a setting is set at all, where its default means something else than saying the same. */
export function isGiven(name: SettingName, env: NodeJS.ProcessEnv = readEnvironment()): boolean {
  return (env[name] ?? '') !== '';
}

function readEnvironment(): NodeJS.ProcessEnv {
  loadDotenv({ quiet: true });
  return process.env;
}

function readSetting(name: SettingName, text: string | undefined, problems: Problem[]): unknown {
  const setting = settings[name];
  const raw = text === undefined || text === '' ? setting.default : text;
  if (raw === undefined) return undefined;
  const parsed = setting.schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const expected = parsed.error.issues[0]?.message ?? setting.form;
  // A key must not reach a log, not even one that was written where its hash belongs.
  const got = name === 'MILLRACE_API_KEYS' ? 'not of that form' : describe(raw);
  problems.push({ path: name, got, expected, remedy: `Set ${name} to ${expected}.` });
  return undefined;
}

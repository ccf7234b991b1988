import { config as loadDotenv } from 'dotenv';
import type { z } from 'zod';
import { MillraceError, type Problem } from './errors.ts';
import { maskRedisUrl } from './redis/redis-url.ts';
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

/** Whether OpenTelemetry's own variables ask for traces: where to send them is said, and nothing says that they are off. */
export function readTracingEnv(env: NodeJS.ProcessEnv = readEnvironment()): boolean {
  const isOff = env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return Boolean(endpoint) && !isOff;
}

function readEnvironment(): NodeJS.ProcessEnv {
  loadDotenv({ quiet: true });
  return process.env;
}

/** A value, fit for a log: without a password, and without a key that was written where its hash belongs. */
function shown(name: SettingName, raw: string): string {
  if (name === 'MILLRACE_API_KEYS') return 'not of that form';
  return name === 'REDIS_URL' ? JSON.stringify(maskRedisUrl(raw)) : describe(raw);
}

function readSetting(name: SettingName, text: string | undefined, problems: Problem[]): unknown {
  const setting = settings[name];
  const raw = text === undefined || text === '' ? setting.default : text;
  if (raw === undefined) return undefined;
  const parsed = setting.schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const expected = parsed.error.issues[0]?.message ?? setting.form;
  problems.push({ path: name, got: shown(name, raw), expected, remedy: `Set ${name} to ${expected}.` });
  return undefined;
}

import { z } from 'zod';
import { choiceSetting, optionalIntegerSetting, type Setting } from './setting.ts';

/** A name or address as it stands in the Host header, without a port. */
const hostForm = /^(?:[a-z\d](?:[a-z\d.-]*[a-z\d])?|\[[\da-f:.]+\])$/;
const originForm = /^https?:\/\/[^\s/?#@,]+$/;

const entriesOf = (text: string) =>
  text
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '');

const hosts = z
  .string()
  .transform(entriesOf)
  .refine((entries) => entries.every((entry) => hostForm.test(entry)), {
    error: 'host names without ports such as mill.example, with commas between; an IPv6 address in brackets',
  });

const origins = z
  .string()
  .transform(entriesOf)
  .refine((entries) => entries.every((entry) => originForm.test(entry) && URL.canParse(entry)), {
    error: 'origins such as https://app.example or http://127.0.0.1:5173, with commas between; no path, no *',
  })
  .transform((entries) => entries.map((entry) => new URL(entry).origin));

/** The settings of who may reach the API, and how often; a part of the table in settings.ts. */
export const httpSettings = {
  RATE_LIMIT: optionalIntegerSetting(
    { min: 0, max: 1_000_000_000, unit: 'requests a minute' },
    'How many requests a minute one key may send, counted in Redis by all APIs together; above it they answer 429 RATE_LIMITED. 0: no limit. Left out, 60000 for each key, and none where no key is needed. An entry of MILLRACE_API_KEYS may have a limit of its own. Where no key is needed it counts for each address.',
  ),
  ALLOWED_HOSTS: {
    schema: hosts,
    default: '',
    meaning:
      'Host names that a request may be for, beside localhost, loopback addresses and HOST. Without keys no other is answered, so that no page can reach the API by a name of its own (DNS rebinding); with keys any is, unless names are set here. Health is told under every name.',
    form: 'names without ports, with commas between',
  },
  CORS_ORIGINS: {
    schema: origins,
    default: '',
    meaning:
      'Web pages of other origins that may use this API from a browser, with a key that they send themselves. Left out, none may.',
    form: 'origins such as https://app.example, with commas between',
  },
  BOARD_HIDE_PAYLOADS: choiceSetting(
    ['false', 'true'],
    { default: 'false' },
    'Whether the board leaves out what is in tasks: inputs, results, progress, and of errors all but the code. They are then not even read.',
  ),
} as const satisfies Record<string, Setting>;

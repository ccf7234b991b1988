import { z } from 'zod';
import { choiceSetting, integerSetting, type Setting } from './setting.ts';

/** A host name or address, or `*.` before a name, or `*` alone; an IPv6 address in brackets. */
const patternForm = /^(\*|(\*\.)?[a-z\d_]([a-z\d._-]*[a-z\d_])?|\[[\da-f:.]+\])$/;
/** Bytes that Standard Webhooks wants of a secret. */
const leastKeyBytes = 24;
const mostKeyBytes = 64;

const entriesOf = (text: string) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

const hosts = z
  .string()
  .transform((text) => entriesOf(text.toLowerCase()))
  .refine((entries) => entries.every((entry) => patternForm.test(entry)), {
    error: 'host names such as hooks.example.com, *.example.com or *, with commas between; no scheme, port or path',
  });

const secrets = z
  .string()
  .transform(entriesOf)
  .refine((entries) => entries.length > 0 && entries.every(isSecret), {
    error: `whsec_ and ${leastKeyBytes} to ${mostKeyBytes} bytes in base64; several with commas between`,
  });

/** The settings of webhooks; a part of the table in settings.ts. */
export const webhookSettings = {
  WEBHOOK_HOSTS: {
    schema: hosts,
    default: '',
    meaning:
      'The hosts that webhooks may go to. Left out, webhooks are off: a task or run with one is refused. *.example.com is every name below example.com, * is any host with a public address.',
    form: 'host names, *.name, or *, with commas between',
  },
  WEBHOOK_SECRET: {
    schema: secrets,
    default: undefined,
    meaning:
      'What webhooks are signed with; needed when WEBHOOK_HOSTS is set. Make one: echo whsec_$(openssl rand -base64 32). To change it, set the new and the old one, with a comma between: both sign until the receivers know the new one.',
    form: 'whsec_ and base64, with commas between',
  },
  WEBHOOK_PRIVATE_ADDRESSES: choiceSetting(
    ['0', '1'],
    { default: '0' },
    'Whether webhooks may go to private, loopback and other special addresses: 1 where the receivers are in your own network. WEBHOOK_HOSTS holds all the same, and should then name them.',
  ),
  WEBHOOK_TIMEOUT: integerSetting(
    { default: 10_000, min: 100, max: 60_000, unit: 'ms' },
    'How long a receiver may take to answer a webhook; then the try has failed.',
  ),
  WEBHOOK_TRIES: integerSetting(
    { default: 15, min: 1, max: 50, unit: 'tries' },
    'How often a webhook is sent at the most; then it is given up. With the default of WEBHOOK_BACKOFF 15 tries take up to 17 hours.',
  ),
  WEBHOOK_BACKOFF: integerSetting(
    { default: 5000, min: 10, max: 3_600_000, unit: 'ms' },
    'The longest wait between the first and the second try of a webhook; each further wait is twice as long, up to 6 hours. Up to half of a wait is left out at random.',
  ),
} as const satisfies Record<string, Setting>;

function isSecret(text: string): boolean {
  const [, key] = /^whsec_([A-Za-z\d+/]+={0,2})$/.exec(text) ?? [];
  if (key === undefined) return false;
  const { length } = Buffer.from(key, 'base64');
  // What is left over would be dropped without a word here, and refused by a receiver.
  const isWhole = Buffer.from(key, 'base64').toString('base64') === key;
  return isWhole && length >= leastKeyBytes && length <= mostKeyBytes;
}

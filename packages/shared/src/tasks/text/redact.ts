import { z } from 'zod';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import { phoneRegions } from './phone-regions.ts';

/** What can be found, and the words that take its place. The order is that of the docs; specificity is the worker's. */
export const placeholders = {
  email: '[EMAIL]',
  phone: '[PHONE]',
  card: '[CARD]',
  iban: '[IBAN]',
  ip: '[IP]',
  mac: '[MAC]',
  ssn: '[SSN]',
  credentials: '[CREDENTIALS]',
  secret: '[SECRET]',
} as const;
export type RedactKind = keyof typeof placeholders;
export const redactKinds = Object.keys(placeholders) as [RedactKind, ...RedactKind[]];

const kindsMeaning = [
  '`email`: addresses, also percent-encoded ones (`bob%40example.com`), quoted and international ones.',
  '`phone`: see `region`.',
  '`card`: payment cards of a known issuer, in its lengths, whose check digit (Luhn) is right.',
  '`iban`: account numbers in the format of their country whose check digits (mod 97) are right.',
  '`ip`: IPv4 and IPv6 addresses; not netmasks, and not what stands as a version number.',
  '`mac`: hardware addresses of 48 or 64 bits.',
  '`ssn`: US social security and taxpayer numbers, written 123-45-6789, or any way behind such a word.',
  '`credentials`: user and password in a URL; the rest of the URL stays.',
  '`secret`: private keys, JSON web tokens, keys of well-known services, bearer tokens and passwords behind their name.',
].join(' ');

const redactInput = z.strictObject({
  texts: z.array(z.string()).min(1).meta({ description: 'The texts to redact, each by itself.' }),
  kinds: z
    .array(z.enum(redactKinds))
    .min(1)
    .refine((kinds) => new Set(kinds).size === kinds.length, { error: 'each kind once' })
    .optional()
    .meta({
      description: `What to replace; default all. What is found does not depend on it: it only chooses among the findings. ${kindsMeaning}`,
    }),
  region: z
    .string()
    .regex(/^[A-Z]{2}$/, { error: 'two capital letters of ISO 3166-1, such as GB' })
    .refine((region) => phoneRegions.has(region), { error: 'a region with telephone numbers of its own, such as GB' })
    .optional()
    .meta({
      description:
        'Where telephone numbers without a country code belong (ISO 3166-1, such as `DE`). Without it three kinds are found: international ones (+ or 00), North American ones in three groups, and digits behind a word such as `phone`.',
    }),
});
type RedactInput = z.infer<typeof redactInput>;

const offset = (what: string) =>
  z
    .int()
    .min(0)
    .meta({ description: `${what}, in UTF-16 units as JavaScript counts.` });

const finding = z.object({
  kind: z.enum(redactKinds),
  start: offset('Where it begins in the text as it was sent'),
  end: offset('Where it ends there, exclusive'),
  redactedStart: offset('Where its placeholder begins in the redacted text'),
  redactedEnd: offset('Where that ends, exclusive'),
});
export type Finding = z.infer<typeof finding>;

const redactOutput = z.object({
  texts: z.array(z.string()).meta({
    description: `The texts with each finding replaced by the name of its kind (${Object.values(placeholders).join(', ')}); all else is as it was, but that a lone surrogate becomes U+FFFD.`,
  }),
  findings: z.array(z.array(finding)).meta({
    description:
      'Per text what was found, in order: its `kind`, where it was in the text as it was sent (`start`, `end`), and where its placeholder is in the redacted one (`redactedStart`, `redactedEnd`); UTF-16 units, the end exclusive. The values themselves are not repeated.',
  }),
  counts: z
    .partialRecord(z.enum(redactKinds), z.int())
    .meta({ description: 'Findings of all texts by kind; a kind without any is left out.' }),
});

/** One text on its way through the text lane. */
export interface RedactItem {
  readonly text: string;
  readonly kinds: readonly RedactKind[];
  readonly region: string | undefined;
}

/** One redacted text. */
export interface RedactValue {
  readonly text: string;
  readonly findings: readonly Finding[];
}

/** A finding takes about 90 bytes of JSON; text dense with them, such as an access log, has one in 40 bytes. */
const resultBytesPerInputByte = 3.5;

export const redact = defineTaskType({
  type: 'text.redact',
  family: 'text',
  description:
    'Replaces e-mail addresses, telephone, card and account numbers, network addresses and secrets in texts, and says what was found where.',
  input: redactInput,
  output: redactOutput,
  example: { texts: ['Write to ann@example.org or call +44 20 7946 0958.'] },
  items: ({ texts, kinds = redactKinds, region }: RedactInput): RedactItem[] =>
    texts.map((text) => ({ text, kinds, region })),
  join: (values: readonly RedactValue[]) => ({
    texts: values.map(({ text }) => text),
    findings: values.map(({ findings }) => [...findings]),
    counts: countByKind(values.flatMap(({ findings }) => findings)),
  }),
  cost: ({ text }) => text.length,
  resultBytes: (_input, inputBytes) => Math.ceil(inputBytes * resultBytesPerInputByte) + endedTaskBytes,
});

function countByKind(findings: readonly Finding[]): Partial<Record<RedactKind, number>> {
  const counts: Partial<Record<RedactKind, number>> = {};
  for (const { kind } of findings) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

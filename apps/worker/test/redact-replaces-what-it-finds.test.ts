import { readFileSync } from 'node:fs';
import { builtinTaskTypes } from '@millrace/shared/tasks/catalog';
import { redactKinds } from '@millrace/shared/tasks/text/redact';
import { describe, expect, it } from 'vitest';
import { redactProcessor } from '../src/text/redact.ts';
import { foundIn, redactText } from './redact-texts.ts';

interface Line {
  readonly text: string;
  readonly region?: string;
  readonly find: readonly (readonly [string, string])[];
}

const lines = readFileSync(new URL('../../../quality/data/redact-found.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): Line => JSON.parse(line));

describe('text.redact', () => {
  it('puts the name of its kind in the place of each finding, and keeps the rest', async () => {
    const { text } = await redactText(
      'Ann (ann@example.org, +44 20 7946 0958) paid with 4111 1111 1111 1111 from 203.0.113.9; IBAN DE89 3704 0044 0532 0130 00.',
    );
    expect(text).toBe('Ann ([EMAIL], [PHONE]) paid with [CARD] from [IP]; IBAN [IBAN].');
  });

  it('says where each finding was and where its placeholder is', async () => {
    const original = '🙂 ann@example.org and 4111111111111111';
    const { text, findings } = await redactText(original);
    expect(findings).toEqual([
      { kind: 'email', start: 3, end: 18, redactedStart: 3, redactedEnd: 10 },
      { kind: 'card', start: 23, end: 39, redactedStart: 15, redactedEnd: 21 },
    ]);
    expect(findings.map(({ redactedStart, redactedEnd }) => text.slice(redactedStart, redactedEnd))).toEqual([
      '[EMAIL]',
      '[CARD]',
    ]);
  });

  it.each(lines)('finds what is marked in: $text', async ({ text, region, find }) => {
    const options = region === undefined ? {} : { region };
    expect(await foundIn(text, options)).toEqual(find.map(([kind, value]) => `${kind} ${value}`));
  });

  it('finds nothing more in what is redacted', async () => {
    for (const { text, region } of lines) {
      const options = region === undefined ? {} : { region };
      const once = (await redactText(text, options)).text;
      expect(await foundIn(once, options)).toEqual([]);
    }
  });

  it('replaces the kinds that were asked for, which are found just as all are', async () => {
    const text = 'postgres://app:pw@10.0.0.7/x, ann@example.org, card 4111111111111111, 415-555-2671';
    const all = (await redactText(text)).findings;
    expect(new Set(all.map(({ kind }) => kind)).size).toBe(5);
    for (const kind of redactKinds) {
      const some = (await redactText(text, { kinds: [kind] })).findings;
      expect(some.map(({ start, end }) => [start, end])).toEqual(
        all.filter((finding) => finding.kind === kind).map(({ start, end }) => [start, end]),
      );
    }
  });

  it('counts the findings of all texts by kind', async () => {
    const { items, join } = builtinTaskTypes['text.redact'];
    const input = { texts: ['a@example.org, b@example.org', '', '10.1.2.3'] };
    const outcomes = await redactProcessor.process(items(input), {
      count: () => {},
      signal: new AbortController().signal,
    });
    const values = outcomes.map((outcome) => {
      if (!outcome.ok) throw new Error(outcome.message);
      return outcome.value;
    });
    const output = join(values, input);
    expect(output.counts).toEqual({ email: 2, ip: 1 });
    expect(output.texts).toEqual(['[EMAIL], [EMAIL]', '', '[IP]']);
    expect(builtinTaskTypes['text.redact'].output.parse(output)).toEqual(output);
  });

  it('ends between two texts when it takes too long', async () => {
    const items = builtinTaskTypes['text.redact'].items({ texts: ['a', 'b'] });
    const outcomes = await redactProcessor.process(items, { count: () => {}, signal: AbortSignal.abort() });
    expect(outcomes.map((outcome) => !outcome.ok && outcome.code)).toEqual(['TASK_TIMEOUT', 'TASK_TIMEOUT']);
  });
});

describe('Telephone numbers beside each other', () => {
  it.each([
    ['in a table', 'Ann,415-555-2671,17\nBen,+4930901820,5\n0171 1234567,030 901820,1', 'DE', 4],
    ['in a list without spaces', '415-555-2671,415-555-2672;415-555-2673', undefined, 3],
    ['with slashes', 'Tel. 030 901820 / 0171 1234567 / +49 30 901821', undefined, 3],
    ['with nothing but a space', '030 9018200 0171 1234567', 'DE', 2],
    ['with a short second one', '415-555-2671/2672', 'US', 1],
  ])('%s', async (_, text, region, count) => {
    expect(await foundIn(text, region === undefined ? {} : { region })).toHaveLength(count);
  });
});

describe('Findings that overlap', () => {
  it.each([
    ['the password of a URL is no part of an address', 'ftp://u:pw@files.example.com', ['credentials u:pw']],
    ['an address at an IP address is one address', 'root@[192.0.2.1]', ['email root@[192.0.2.1]']],
    ['the digits of an address are no telephone number', '4155552671@example.com', ['email 4155552671@example.com']],
    ['a card is no telephone number', 'phone 4111 1111 1111 1111', ['card 4111 1111 1111 1111']],
    ['a hardware address of eight pairs is no IPv6', '02:1a:2b:ff:fe:3c:4d:5e', ['mac 02:1a:2b:ff:fe:3c:4d:5e']],
    ['an address in version 6 may end in version 4', '::ffff:10.0.0.1', ['ip ::ffff:10.0.0.1']],
    ['an account number is one, whatever its groups look like', 'NO93 8601 1117 947', ['iban NO93 8601 1117 947']],
  ])('%s', async (_, text, expected) => {
    expect(await foundIn(text)).toEqual(expected);
  });
});

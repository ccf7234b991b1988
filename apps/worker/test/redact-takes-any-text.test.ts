import { placeholders, redactKinds } from '@millrace/shared/tasks/text/redact';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactText } from './redact-texts.ts';

/** What detectors look for, whole and in pieces, among text of every kind. */
const pieces = fc.oneof(
  fc.constantFrom(
    ...['@', '.', '-', ' ', '+', '(', ')', '/', ':', '::', '://', '%40', '%', '"', '=', '_', ',', '\n', '0', '00'],
    ...['\ud800', '\udc00', '\u0000', '\u200b', '\u00a0', '１', '٣', '𝟙', 'ー', '–', '\u202e', '电话', 'é', 'а'],
    ...['ann@example.org', '4111 1111 1111 1111', '+49 30 123456', '(415) 555-2671', 'DE89370400440532013000'],
    ...['10.0.0.1', '2001:db8::1', '00:1a:2b:3c:4d:5e', '123-45-6789', 'https://u:p@h', 'password=', 'eyJhbGciOiJI'],
    ...['-----BEGIN PRIVATE KEY-----', 'tel ', 'version ', 'DE89', '@example.com', '2024-05-12', 'ext. 12'],
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.stringMatching(/^[0-9]{1,20}$/),
);
const anyText = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));
const anyRegion = fc.constantFrom(undefined, 'US', 'DE', 'FR', 'NO', 'AR', 'IN', 'JP');
const mebibyte = 2 ** 20;

describe('text.redact and texts of any kind', () => {
  it('gives findings in order, and changes nothing but them', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyRegion, async (text, region) => {
        const redacted = await redactText(text, region === undefined ? {} : { region });
        const whole = text.toWellFormed();
        let read = 0;
        let written = 0;
        for (const { kind, start, end, redactedStart, redactedEnd } of redacted.findings) {
          expect(start).toBeGreaterThanOrEqual(read);
          expect(end).toBeGreaterThan(start);
          expect(redacted.text.slice(written, redactedStart)).toBe(whole.slice(read, start));
          expect(redacted.text.slice(redactedStart, redactedEnd)).toBe(placeholders[kind]);
          read = end;
          written = redactedEnd;
        }
        expect(redacted.text.slice(written)).toBe(whole.slice(read));
        expect(redacted.text.isWellFormed()).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('finds the same for a kind whether others are asked for or not', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, fc.constantFrom(...redactKinds), async (text, kind) => {
        const places = ({ findings }: Awaited<ReturnType<typeof redactText>>) =>
          findings.filter((finding) => finding.kind === kind).map(({ start, end }) => [start, end]);
        expect(places(await redactText(text, { kinds: [kind] }))).toEqual(places(await redactText(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('finds a value between texts of any kind that end and begin with a space', async () => {
    const values = [
      'ann@example.org',
      '4111111111111111',
      'DE89370400440532013000',
      '2001:db8::1',
      '00:1a:2b:3c:4d:5e',
    ];
    await fc.assert(
      fc.asyncProperty(fc.lorem(), fc.constantFrom(...values), fc.lorem(), async (before, value, after) => {
        const { findings } = await redactText(`${before} ${value} ${after}`);
        expect(findings.map(({ start, end }) => [start, end])).toEqual([
          [before.length + 1, before.length + 1 + value.length],
        ]);
      }),
    );
  });

  it('is done with a mebibyte of whatever its search could stumble over', async () => {
    const repeated = (piece: string) => piece.repeat(Math.ceil(mebibyte / piece.length)).slice(0, mebibyte);
    const traps = [
      ...[
        '1',
        '1 ',
        '11 ',
        '01 ',
        '123 ',
        '4111 ',
        '1.',
        '1/',
        '1.1.1.1 ',
        '(1)',
        '+',
        '+1 ',
        '+49 30 1',
        '2024-05-12 ',
      ],
      ...[
        '@',
        'a@',
        'a@b.',
        'a@b.cc ',
        '%40',
        '"@',
        ' "a',
        '%2Fa@a.bc',
        ':',
        'a:',
        'aa:',
        'a',
        '::1 ',
        '1:',
        '://',
        'a://',
      ],
      ...['eyJ', 'eyJaaaaa.aa.', '-----BEGIN PRIVATE KEY-----', '-----BEGIN ', 'password=', 'a_', 'a_a_a_password'],
      ...[
        'authorization: bearer ',
        '"password": "',
        'DE89',
        'MT84 ',
        'AKIA',
        'sk-',
        'xoxb-',
        'tel ',
        'version ',
        ' ',
        '\n',
      ],
      ...['１', '１　', '\u200b', '\ud800', '𝟏', '电话', '06 12 34 56 78,', '11 22 33 44 55 66,'],
    ];
    for (const trap of traps) {
      const text = repeated(trap);
      const { findings, text: redacted } = await redactText(text, { region: 'DE' });
      const change = findings.reduce((sum, { start, end, kind }) => sum + placeholders[kind].length - (end - start), 0);
      expect(redacted.length).toBe(text.length + change);
    }
  }, 300_000);
});

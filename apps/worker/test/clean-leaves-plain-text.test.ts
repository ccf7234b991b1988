import { builtinTaskTypes } from '@millrace/shared/tasks/catalog';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanProcessor } from '../src/text/clean.ts';

type CleanInput = Parameters<(typeof builtinTaskTypes)['text.clean']['items']>[0];

async function clean(text: string, options: Partial<CleanInput> = {}): Promise<string> {
  const items = builtinTaskTypes['text.clean'].items({ texts: [text], format: 'html', ...options });
  const [outcome] = await cleanProcessor.process(items, { count: () => {}, signal: new AbortController().signal });
  if (outcome?.ok !== true) throw new Error(outcome?.message);
  return outcome.value;
}

describe('text.clean', () => {
  it('makes plain text of a page', async () => {
    const page = `<html><head><title>t</title><style>p{}</style></head><body><script>alert(1)</script>
      <h1>The   mill</h1><p>It turns&nbsp;&amp; turns.<br>All <b>day</b>.</p><ul><li>one<li>two</ul><img src=x></body></html>`;
    expect(await clean(page)).toBe('The mill\n\nIt turns & turns.\nAll day.\n\n* one\n* two');
  });

  it('keeps the addresses of links when asked', async () => {
    const link = '<a href="https://example.com/a">there</a>';
    expect(await clean(link)).toBe('there');
    expect(await clean(link, { keepLinks: true })).toBe('there [https://example.com/a]');
  });

  it('makes plain text of Markdown', async () => {
    expect(await clean('# Head\n\nSome *words* and `code`.\n\n- a\n- b', { format: 'markdown' })).toBe(
      'Head\n\nSome words and code.\n\n* a\n* b',
    );
  });

  it('tidies plain text: line ends, invisible characters, white space, Unicode', async () => {
    const untidy = '\uFEFFa\u00AD\u200Bb\r\n\r\n\r\n\r\nc  \t d\u0000 e\u0301 ﬁ';
    expect(await clean(untidy, { format: 'plain' })).toBe('ab\n\nc d é ﬁ');
    expect(await clean('ﬁ', { format: 'plain', unicode: 'NFKC' })).toBe('fi');
    expect(await clean(' a  b ', { format: 'plain', collapseWhitespace: false })).toBe(' a  b ');
  });

  it('gives a well-formed text for whatever it gets', async () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom('<', '>', '&', '#', '`', '\ud800', '\u0000'), fc.string()),
    });
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.constantFrom('html' as const, 'markdown' as const, 'plain' as const),
        async (any, format) => {
          const cleaned = await clean(any, { format });
          return cleaned.isWellFormed() && !cleaned.includes('\u0000');
        },
      ),
    );
  });
});

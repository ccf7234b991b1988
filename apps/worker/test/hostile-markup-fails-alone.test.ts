import { clean } from '@millrace/shared/tasks/text/clean';
import { describe, expect, it } from 'vitest';
import { cleanProcessor } from '../src/text/clean.ts';
import { callContext } from './run-text-task.ts';

const characters = 200_000;
const repeated = (piece: string) => piece.repeat(Math.ceil(characters / piece.length)).slice(0, characters);

/** What becomes of texts that share a call. */
function outcomesOf(texts: readonly string[], format: 'html' | 'markdown' | 'plain') {
  return cleanProcessor.process(clean.items({ texts: [...texts], format }), callContext());
}

describe('text.clean', () => {
  it('fails a text of endless nesting, and not those beside it', async () => {
    for (const piece of ['<div>', '<b><i>', '<table><tr><td>', '<ul><li>']) {
      const outcomes = await outcomesOf(['<p>before', repeated(piece), '<p>after'], 'html');
      expect(outcomes).toMatchObject([
        { ok: true, value: 'before' },
        { ok: false, code: 'PROCESSOR_FAILED' },
        { ok: true, value: 'after' },
      ]);
    }
    expect(await outcomesOf(['before', repeated('> '), 'after'], 'markdown')).toMatchObject([
      { ok: true, value: 'before' },
      { ok: false, code: 'PROCESSOR_FAILED' },
      { ok: true, value: 'after' },
    ]);
  });

  it('is done with HTML and plain texts that patterns and parsers stumble over', async () => {
    const html = ['<', '<a ', '<!--', '&', '&#', '<p', '<a href="', '<script>', '<![CDATA[', '<li>'].map(repeated);
    const plain = [' ', '\n', ' \n', '\r', '\u200b', 'a\u0301'].map(repeated);
    for (const [texts, format] of [
      [html, 'html'],
      [plain, 'plain'],
    ] as const) {
      expect((await outcomesOf(texts, format)).filter(({ ok }) => !ok)).toEqual([]);
    }
  });
});

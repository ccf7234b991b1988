import { describe, expect, it } from 'vitest';
import { findSentences } from '../src/text/sentences.ts';

function sentencesOf(text: string, language: string | null = 'en'): string[] {
  return findSentences(text, language).map(({ start, end }) => text.slice(start, end));
}

/** Texts whose sentences are marked by a bar. */
const marked: [language: string, text: string][] = [
  ['en', 'Dr. Reed and Mrs. Hill live at 5 Oak St. in Dayton.|They moved there in 1999.'],
  ['en', 'The U.S. Army left.|She lives in the U.S.|The climate suits her.'],
  ['en', 'J. R. R. Tolkien wrote it.|See Fig. 3 and p. 55.|It is no. 2.'],
  ['en', 'He said no.|They went on.|Bring fruit, e.g. apples.'],
  ['en', '"Stop!" he shouted.|Nobody moved.|"Why?" she asked. '],
  ['en', 'Visit https://example.com/a?b=c.|It is free.|Open notes.txt now.'],
  ['en', 'It was lovely.|50 people came.|It cost $3.50 in all.'],
  ['en', '1. Open the lid.|2. Pour the water.'],
  ['en', 'this is all in lower case.|is it not?|it is.'],
  ['de', 'Dr. Müller kommt am 3. Oktober.|Im 19. Jahrhundert galt das z. B. für Äpfel.|Heute nicht.'],
  ['fr', 'M. Dupont dit « Viens ! » à Mme Martin.|Elle vint.'],
  ['es', 'El Sr. García llegó.|¿Qué hora es?|Son las dos.'],
  ['ru', 'А. С. Пушкин жил на ул. Мойка.|Мы читали.'],
  ['el', 'Πού πας;|Πάω σπίτι.'],
  ['hi', 'मैं घर जाता हूँ।|तुम कहाँ हो?'],
  ['zh', '今天天气很好。|我们去公园吧！|你来吗？'],
  ['ja', '「はい。」と彼は言った。|私は帰った。'],
];

describe('Sentences', () => {
  it.each(marked)('are cut where they end: %s, %s', (language, text) => {
    const wanted = text.split('|').map((sentence) => sentence.trim());
    const whole = wanted.join(['ja', 'zh'].includes(language) ? '' : ' ');
    expect(sentencesOf(whole, language)).toEqual(wanted);
  });

  it('go on over the line breaks of wrapped text, and end with headings, entries of lists and paragraphs', () => {
    const wrapped = 'The miller looked at the river for a long time and then\nhe went back to his mill.';
    expect(sentencesOf(wrapped)).toEqual([wrapped]);
    expect(sentencesOf('The Mill\nIt stands at the river.\n\n- one wheel\n- two stones\n\nNo full stop')).toEqual([
      'The Mill',
      'It stands at the river.',
      '- one wheel',
      '- two stones',
      'No full stop',
    ]);
  });

  it('have no white space around them, and lines of marks alone are none', () => {
    expect(sentencesOf('  One.  \n\n * * * \n---\n\t Two. ')).toEqual(['One.', 'Two.']);
    expect(sentencesOf(' \n\t ')).toEqual([]);
  });

  it('that do not end are cut at white space, without losing anything', () => {
    const endless = 'word '.repeat(20_000);
    const sentences = sentencesOf(endless);
    expect(sentences.join(' ')).toBe(endless.trim());
    for (const sentence of sentences) expect(sentence.length).toBeLessThanOrEqual(16_384);
  });

  it('are the same wherever they stand in a long paragraph', () => {
    const one = 'Dr. Reed went to the mill at 5 p.m. and asked for flour.';
    const sentences = sentencesOf(`${one} `.repeat(500));
    expect(sentences).toEqual(Array.from({ length: 500 }, () => one));
  });
});

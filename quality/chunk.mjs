import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AutoTokenizer, env } from '@huggingface/transformers';
import { Tokenizers } from '../apps/worker/dist/models/tokenizers.js';
import { chunkProcessor } from '../apps/worker/dist/text/chunk.js';
import { chunk as chunkType } from '../packages/shared/dist/tasks/text/chunk.js';
import { createDocuments } from './chunk-documents.mjs';
import { createRandom } from './random.mjs';

const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
const book = readFileSync(new URL('../examples/data/book.txt', import.meta.url), 'utf8');
const passages = JSON.parse(readFileSync(new URL('data/passages.json', import.meta.url), 'utf8'));
const processor = chunkProcessor(new Tokenizers(modelsDir));
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** Documents of all kinds, each with limits of its own; then how good the chunks of a book are, and how fast they are made. */
export async function check() {
  return [...(await documentRows()), ...(await bookRows()), ...(await speedRows())];
}

async function chunksOf(text, options = {}) {
  const context = { count: () => {}, signal: new AbortController().signal };
  const [outcome] = await processor.process(chunkType.items({ texts: [text], ...options }), context);
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.value.chunks;
}

/** The count of the embedding model itself, by the library that it is run with. */
async function modelCounter() {
  env.allowRemoteModels = false;
  env.localModelPath = modelsDir;
  const tokenizer = await AutoTokenizer.from_pretrained('all-MiniLM-L6-v2');
  return (text) => tokenizer.encode(text).length;
}

async function documentRows() {
  const set = '1,000 documents made from a seed';
  const count = await modelCounter();
  const faults = { long: 0, counts: 0, offsets: 0, graphemes: 0, lost: 0, ids: 0 };
  let chunks = 0;
  for (const { text, maxTokens, overlapTokens } of createDocuments(createRandom(7), passages, 1000)) {
    const found = await chunksOf(text, { maxTokens, overlapTokens });
    chunks += found.length;
    judge(text, found, { maxTokens, count, faults });
  }
  const row = (what, figure, unit) => ({ check: `text.chunk: ${what}`, figure, unit, goal: 0, set });
  return [
    { check: 'text.chunk: chunks', figure: chunks, unit: 'chunks', goal: null, set },
    row('over the limit, counted by the embedding model', faults.long, 'chunks'),
    row('with another count than the model has', faults.counts, 'chunks'),
    row('that text.slice(start, end) is not', faults.offsets, 'chunks'),
    row('that begin or end inside a grapheme', faults.graphemes, 'chunks'),
    row('characters that are lost and no white space', faults.lost, 'characters'),
    row('ids that come twice in a document', faults.ids, 'ids'),
  ];
}

function judge(text, chunks, { maxTokens, count, faults }) {
  const segments = graphemes.segment(text);
  const isInside = (at) => at < text.length && segments.containing(at).index !== at;
  let read = 0;
  for (const { start, end, tokens, text: part } of chunks) {
    const counted = count(part);
    const isOneGrapheme = segments.containing(start).segment.length >= part.length;
    if (counted > maxTokens && !isOneGrapheme) faults.long += 1;
    if (counted !== tokens) faults.counts += 1;
    if (text.slice(start, end) !== part) faults.offsets += 1;
    if (isInside(start) || isInside(end)) faults.graphemes += 1;
    faults.lost += text.slice(read, Math.max(read, start)).trim().length;
    read = Math.max(read, end);
  }
  faults.lost += text.slice(read).trim().length;
  faults.ids += chunks.length - new Set(chunks.map(({ id }) => id)).size;
}

async function bookRows() {
  const set = 'The Adventures of Sherlock Holmes, 562 kB';
  const chunks = await chunksOf(book);
  const mean = chunks.reduce((sum, { tokens }) => sum + tokens, 0) / chunks.length;
  const endings = chunks.filter(
    ({ end }) => /[.!?]["')\]]*$/.test(book.slice(0, end)) || /^\s*\n\s*\n/.test(book.slice(end)),
  );
  const small = chunks.filter(({ tokens }) => tokens < 64);
  const row = (what, figure, { unit = 'share', goal = null } = {}) => ({
    check: `text.chunk: ${what}`,
    figure,
    unit,
    goal,
    set,
  });
  return [
    row('how full chunks of 256 tokens are', mean / 256, { goal: 0.65 }),
    row('chunks less than a quarter full (less is better)', small.length / chunks.length, { goal: 0.02 }),
    row('chunks that end with a sentence or a paragraph', endings.length / chunks.length, { goal: 0.98 }),
    row('chunks that an edit makes anew, mean of 100 (less is better)', await meanChange(chunks), {
      unit: 'chunks',
      goal: 3,
    }),
  ];
}

/** Sentences and paragraphs put in, sentences taken out, somewhere in the book. */
async function meanChange(chunks) {
  const random = createRandom(11);
  const before = new Set(chunks.map(({ id }) => id));
  let changed = 0;
  for (let edit = 0; edit < 100; edit += 1) {
    const at = book.indexOf(' ', random.below(book.length - 1000)) + 1;
    const added = random.pick(['', 'A sentence was put in here. ', 'A paragraph was put in here.\n\n']);
    const after = await chunksOf(book.slice(0, at) + added + book.slice(at + (added === '' ? 80 : 0)));
    changed += after.filter(({ id }) => !before.has(id)).length;
  }
  return changed / 100;
}

async function speedRows() {
  const chinese = passages.Chinese.join('').repeat(5000);
  return [
    await speedRow('a book, four times over', book.repeat(4)),
    await speedRow('Chinese', chinese),
    await speedRow('one word of 1 MB, a letter again and again', 'a'.repeat(1e6)),
    await speedRow('one word of 1 MB, random letters', createRandom(3).letters(1e6)),
  ];
}

/** By the processor's time, which others on the machine leave alone. */
async function speedRow(set, text) {
  const before = process.cpuUsage();
  await chunksOf(text);
  const { user, system } = process.cpuUsage(before);
  const figure = Buffer.byteLength(text) / (user + system);
  return { check: 'text.chunk: speed on one core', figure, unit: 'MB/s', goal: null, set };
}

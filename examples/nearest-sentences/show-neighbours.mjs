import { Millrace } from '@millrace/client';
import { readSentences, shownSentences } from './corpus.mjs';

/** @typedef {import('./corpus.mjs').Sentence} Sentence */

const neighboursShown = 3;
/** How long the very first text may take, in ms: whoever waits longer has no worker, or one that is still loading. */
const firstTextMs = 20_000;
/** Texts between two steps of the progress line. */
const stepTexts = 128;

/**
 * Embeds the sentences and prints the nearest neighbours of a few of them, or of one of the reader's own.
 *
 * @param {{ redisUrl: string, prefix: string | undefined, ownText: string | undefined }} options
 */
export async function showNeighbours({ redisUrl, prefix, ownText }) {
  const sentences = readSentences();
  const mill = new Millrace({ redisUrl, ...(prefix !== undefined && { prefix }) });
  try {
    // First, alone and before all others, so that it shows soon when nothing runs; then it is not left for later either.
    const [ownVector] = await mill.embed([ownText ?? 'Is anybody there?'], {
      priority: 'critical',
      waitMs: firstTextMs,
      expiresInMs: firstTextMs,
    });
    const vectors = await embedAll(mill, sentences);
    if (ownText !== undefined && ownVector !== undefined) {
      print(ownText, nearest(ownVector, vectors), sentences);
      return;
    }
    for (const at of shownSentences(sentences)) {
      const { text, title } = /** @type {Sentence} */ (sentences[at]);
      const vector = /** @type {Float32Array} */ (vectors[at]);
      print(`${text} (${title})`, nearest(vector, vectors, at), sentences);
    }
  } finally {
    await mill.close();
  }
}

/**
 * `mill.embed` takes any number of texts at once; here it is called for some at a time only to show how far it is.
 *
 * @param {Millrace} mill
 * @param {readonly Sentence[]} sentences
 * @returns {Promise<Float32Array[]>} in the order of the sentences
 */
async function embedAll(mill, sentences) {
  const texts = sentences.map(({ text }) => text);
  const started = performance.now();
  let done = 0;
  showProgress(done, texts.length);
  const steps = Array.from({ length: Math.ceil(texts.length / stepTexts) }, async (_, step) => {
    const vectors = await mill.embed(texts.slice(step * stepTexts, (step + 1) * stepTexts));
    done += vectors.length;
    showProgress(done, texts.length);
    return vectors;
  });
  const vectors = (await Promise.all(steps)).flat();
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round(texts.length / seconds).toLocaleString('en');
  console.log(`${texts.length.toLocaleString('en')} sentences in ${seconds.toFixed(1)} s: ${rate} texts per second`);
  return vectors;
}

/**
 * One line that is written over and over; in a file or a pipe, where it could not be, nothing.
 *
 * @param {number} done
 * @param {number} all
 */
function showProgress(done, all) {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\rEmbedding the sentences: ${done} of ${all}${done === all ? '\n' : ''}`);
}

/**
 * Compares with every vector, which for some thousands takes milliseconds. They have length 1, so that the dot product
 * is the cosine.
 *
 * @param {Float32Array} query
 * @param {readonly Float32Array[]} vectors
 * @param {number} [self] where the query itself stands among them
 * @returns {{ at: number, cosine: number }[]} the nearest, best first
 */
function nearest(query, vectors, self) {
  return vectors
    .map((vector, at) => ({ at, cosine: dot(query, vector) }))
    .filter(({ at }) => at !== self)
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, neighboursShown);
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function dot(a, b) {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}

/**
 * @param {string} heading
 * @param {readonly { at: number, cosine: number }[]} neighbours
 * @param {readonly Sentence[]} sentences
 */
function print(heading, neighbours, sentences) {
  console.log(`\n${heading}`);
  for (const { at, cosine } of neighbours) {
    const { text, title } = /** @type {Sentence} */ (sentences[at]);
    console.log(`  ${cosine.toFixed(3)}  ${text} (${title})`);
  }
}

import { Millrace } from '@millrace/client';
import { readStories } from './stories.mjs';

const collection = 'sherlock-holmes';
const questions = [
  'Who found the precious stone in the goose?',
  'Why were only men with red hair wanted?',
  'What killed the sister in the night?',
  'Who was the beggar really?',
];
const passagesShown = 2;
/** A whole book is embedded in less than a minute on a laptop; ms. */
const ingestMs = 600_000;
/** Whoever waits longer for an answer has no worker; ms. */
const answerMs = 20_000;

/**
 * Fills the collection with the book, once, and prints the passages that are nearest to some questions or to one of the reader's.
 *
 * @param {{ redisUrl: string, prefix: string | undefined, ownText: string | undefined }} options
 */
export async function answerQuestions({ redisUrl, prefix, ownText }) {
  const mill = new Millrace({ redisUrl, ...(prefix !== undefined && { prefix }) });
  try {
    // First, alone and before all others, so that it shows soon when nothing runs.
    await mill.embed(['Is anybody there?'], { priority: 'critical', waitMs: answerMs, expiresInMs: answerMs });
    await ingest(mill);
    for (const question of ownText === undefined ? questions : [ownText]) await answer(mill, question);
  } finally {
    await mill.close();
  }
}

/**
 * Each story is a task: cut into chunks, embedded and written. Sent again, a story replaces its own chunks, so to do it twice
 * does no harm.
 *
 * @param {Millrace} mill
 */
async function ingest(mill) {
  const { points } = await mill.createCollection(collection, { dimensions: 384, metric: 'cosine' });
  if (points > 0) {
    console.log(`The collection ${collection} has ${points.toLocaleString('en')} passages already.`);
    return;
  }
  const started = performance.now();
  const stories = readStories().map((story) => ({ collection, documents: [story], maxTokens: 128 }));
  const tasks = await mill.enqueueMany('vector.documents', stories);
  const results = await Promise.all(tasks.map((task) => task.result({ timeoutMs: ingestMs })));
  const chunks = results.flatMap(({ documents }) => documents).reduce((sum, document) => sum + document.chunks, 0);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${stories.length} stories, ${chunks.toLocaleString('en')} passages in ${seconds} s`);
}

/**
 * @param {Millrace} mill
 * @param {string} question
 */
async function answer(mill, question) {
  const task = await mill.enqueue(
    'vector.search',
    { collection, texts: [question], topK: passagesShown },
    { priority: 'high' },
  );
  const { results } = await task.result({ timeoutMs: answerMs });
  console.log(`\n${question}`);
  for (const { score, metadata } of results[0]?.hits ?? []) {
    const passage = String(metadata?.['text']).replaceAll(/\s+/g, ' ');
    console.log(`  ${score.toFixed(3)}  ${passage} (${metadata?.['title']})`);
  }
}

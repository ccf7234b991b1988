// Semantic search with the AI SDK: embedMany, embed and cosineSimilarity of `ai`, computed by the workers of a mill.
//
//   npm start                                                            in another terminal
//   node examples/ai-sdk/main.mjs                                        a question
//   node examples/ai-sdk/main.mjs "Which country has a long coast?"      a question of your own

import { readSentences } from '../nearest-sentences/corpus.mjs';
import { runExample } from '../running-mill.mjs';

const sentencesShown = 3;
/** Whoever waits longer for the first answer has no worker; ms. */
const answerMs = 20_000;

await runExample(async ({ redisUrl, prefix, ownText = 'Which country became independent after a war?' }) => {
  // Only now, for on a fresh clone the packages are not there yet.
  const { Millrace } = await import('@millrace/client');
  const { millraceEmbedding } = await import('@millrace/client/ai-sdk');
  const { cosineSimilarity, embed, embedMany } = await import('ai');

  const mill = new Millrace({ redisUrl, ...(prefix !== undefined && { prefix }) });
  try {
    // First, alone and before all others, so that it shows soon when nothing runs.
    await mill.embed(['Is anybody there?'], { priority: 'critical', waitMs: answerMs, expiresInMs: answerMs });

    const sentences = readSentences().slice(0, 430);
    const documents = millraceEmbedding(mill, { purpose: 'document' });
    const { embeddings, usage } = await embedMany({ model: documents, values: sentences.map(({ text }) => text) });
    console.log(`${embeddings.length} sentences, ${usage.tokens.toLocaleString('en')} tokens`);

    const queries = millraceEmbedding(mill, { purpose: 'query', priority: 'high' });
    const { embedding } = await embed({ model: queries, value: ownText });
    const scored = sentences.map(({ text }, index) => {
      return { text, score: cosineSimilarity(embedding, embeddings[index] ?? embedding) };
    });
    console.log(`\n${ownText}`);
    for (const { text, score } of scored.sort((a, b) => b.score - a.score).slice(0, sentencesShown)) {
      console.log(`  ${score.toFixed(3)}  ${text}`);
    }
  } finally {
    await mill.close();
  }
});

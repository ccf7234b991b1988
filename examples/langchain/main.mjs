// Retrieval with LangChain: the paragraphs of two stories in a collection of a mill, and a retriever with a filter.
//
//   npm start                                                       in another terminal
//   node examples/langchain/main.mjs                                a question to each story
//   node examples/langchain/main.mjs "Who lost a goose?"            a question of your own to both

import { runExample } from '../running-mill.mjs';
import { readStories } from '../semantic-search/stories.mjs';

const titles = ['THE RED-HEADED LEAGUE', 'THE ADVENTURE OF THE BLUE CARBUNCLE'];
const question = 'What did the thief want to steal?';
/** Of a paragraph so many characters are shown. */
const charactersShown = 160;
/** Whoever waits longer for the first answer has no worker; ms. */
const answerMs = 20_000;

await runExample(async ({ redisUrl, prefix, ownText }) => {
  // Only now, for on a fresh clone the packages are not there yet.
  const { Millrace } = await import('@millrace/client');
  const { MillraceEmbeddings, MillraceVectorStore } = await import('@millrace/client/langchain');
  const { Document } = await import('@langchain/core/documents');

  const mill = new Millrace({ redisUrl, ...(prefix !== undefined && { prefix }) });
  try {
    // First, alone and before all others, so that it shows soon when nothing runs.
    await mill.embed(['Is anybody there?'], { priority: 'critical', waitMs: answerMs, expiresInMs: answerMs });

    const stories = readStories().filter(({ metadata: { title } }) => titles.includes(title));
    const documents = stories.flatMap(({ id, text, metadata }) => {
      const paragraphs = text.split(/\n\s*\n/).map((paragraph) => paragraph.replaceAll(/\s+/g, ' '));
      // With ids of their own, a second run replaces what the first has written.
      return paragraphs.map((pageContent, index) => new Document({ id: `${id}.${index}`, pageContent, metadata }));
    });
    const config = { mill, collection: 'langchain-stories' };
    const store = await MillraceVectorStore.fromDocuments(documents, new MillraceEmbeddings({ mill }), config);
    console.log(`${documents.length} paragraphs of ${stories.length} stories`);

    for (const title of ownText === undefined ? titles : [undefined]) {
      const retriever = store.asRetriever({ k: 2, ...(title !== undefined && { filter: { title } }) });
      console.log(`\n${ownText ?? question}`);
      for (const { pageContent, metadata } of await retriever.invoke(ownText ?? question)) {
        console.log(`  ${pageContent.slice(0, charactersShown)} (${metadata['title']})`);
      }
    }
  } finally {
    await mill.close();
  }
});

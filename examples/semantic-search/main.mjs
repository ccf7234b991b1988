// Semantic search over a book: its stories become a collection, and questions are answered by the passages nearest to them.
//
//   npm start                                                          in another terminal
//   node examples/semantic-search/main.mjs                             a few questions
//   node examples/semantic-search/main.mjs "Who lost a goose?"         a question of your own

import { runExample } from '../running-mill.mjs';

await runExample(async (mill) => {
  // Only now, for on a fresh clone the client is not there yet.
  const { answerQuestions } = await import('./answer-questions.mjs');
  await answerQuestions(mill);
});

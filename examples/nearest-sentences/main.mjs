// Semantic search without a database: 2,000 sentences, their vectors from Millrace, and dot products.
//
//   npm start                                                       in another terminal
//   node examples/nearest-sentences/main.mjs                        the neighbours of a few sentences
//   node examples/nearest-sentences/main.mjs "a storm at sea"       the sentences nearest to one of your own

import { runExample } from '../running-mill.mjs';

await runExample(async (mill) => {
  // Only now, for on a fresh clone the client is not there yet.
  const { showNeighbours } = await import('./show-neighbours.mjs');
  await showNeighbours(mill);
});

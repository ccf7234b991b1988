// hnswlib-node alone in a process: reads the index of a snapshot, so that both sides search the very same graph.
import hnswlib from 'hnswlib-node';

const [file = '', dimensions = '0'] = process.argv.slice(2);
const index = new hnswlib.HierarchicalNSW('ip', Number(dimensions));
index.readIndexSync(file);

process.on('message', (/** @type {{ queries: number[][], k: number, ef: number }} */ { queries, k, ef }) => {
  index.setEf(ef);
  const begin = performance.now();
  const labels = queries.map((query) => index.searchKnn(query, k).neighbors);
  process.send?.({ ms: performance.now() - begin, found: labels.length });
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

// A BullMQ worker as people write it on the first day: one job, one text, one call of the pipeline.
import { pipeline } from '@huggingface/transformers';
import { Worker } from 'bullmq';
import { modelName } from './model.mjs';

const [redisUrl = '', queue = ''] = process.argv.slice(2);

const extract = await pipeline('feature-extraction', modelName, { dtype: 'q8' });
const worker = new Worker(
  queue,
  async (job) => {
    const vector = await extract(job.data.text, { pooling: 'mean', normalize: true });
    return vector.tolist()[0];
  },
  { connection: { url: redisUrl } },
);
await worker.waitUntilReady();
process.on('disconnect', () => process.exit());
process.send?.('ready');

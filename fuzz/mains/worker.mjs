import { collectOften } from '../collect-often.mjs';

collectOften();
await import('../../apps/worker/dist/main.js');

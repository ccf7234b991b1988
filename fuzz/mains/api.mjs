import { collectOften } from '../collect-often.mjs';

collectOften();
await import('../../apps/api/dist/main.js');

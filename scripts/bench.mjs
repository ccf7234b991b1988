// npm run bench. Keep to old syntax: see node-version.mjs.
import { refuseOldNode } from './node-version.mjs';

refuseOldNode();
import('./setup/run-bench.mjs').then(({ main }) => main());

// npm test. Keep to old syntax: see node-version.mjs.
import { refuseOldNode } from './node-version.mjs';

refuseOldNode();
import('./setup/run-tests.mjs').then(({ main }) => main());

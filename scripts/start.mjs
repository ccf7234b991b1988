// npm start. Keep to old syntax: see node-version.mjs.
import { refuseOldNode } from './node-version.mjs';

refuseOldNode();
import('./start/run-start.mjs').then(({ main }) => main());

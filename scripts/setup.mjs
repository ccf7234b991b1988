// npm run setup: check, install, build, find a Redis. Keep to old syntax: see node-version.mjs.
import { refuseOldNode } from './node-version.mjs';

refuseOldNode();
import('./setup/run-setup.mjs').then(({ main }) => main());

// npm run setup: check, install, build, find a Redis. Keep to old syntax: see node-version.mjs.
import { runCommandLine } from './node-version.mjs';

runCommandLine(() => import('./setup/run-setup.mjs'));

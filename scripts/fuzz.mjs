// npm run fuzz. Keep to old syntax: see node-version.mjs.
import { runCommandLine } from './node-version.mjs';

runCommandLine(() => import('./setup/run-fuzz.mjs'));

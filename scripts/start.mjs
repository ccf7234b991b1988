// npm start. Keep to old syntax: see node-version.mjs.
import { runCommandLine } from './node-version.mjs';

runCommandLine(() => import('./start/run-start.mjs'));

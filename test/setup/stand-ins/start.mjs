// `npm start` with the stand-in apps and nothing to install: for the tests that need a supervisor they can kill.
import { fileURLToPath } from 'node:url';
import { start } from '../../../scripts/start/run-start.mjs';

process.exitCode = await start({
  root: fileURLToPath(new URL('.', import.meta.url)),
  env: process.env,
  args: process.argv.slice(2),
  apps: {
    api: fileURLToPath(new URL('api.mjs', import.meta.url)),
    worker: fileURLToPath(new URL('worker.mjs', import.meta.url)),
  },
  prepare: async () => {},
});

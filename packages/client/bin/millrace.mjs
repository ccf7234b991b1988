#!/usr/bin/env node
// The command `millrace`. It is here, and not in dist/, so that it can be linked before anything is built.
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('millrace: it is not built yet; run `npm run setup` first.\n');
  process.exitCode = 2;
}

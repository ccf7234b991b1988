// npm run docs: writes the pages that are made of tables in the code.
import { writeFileSync } from 'node:fs';
import { generatedPages } from './docs/pages.mjs';

for (const [path, text] of generatedPages()) {
  writeFileSync(new URL(`../${path}`, import.meta.url), text);
  process.stdout.write(`wrote ${path}\n`);
}

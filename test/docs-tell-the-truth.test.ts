import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedPages } from '../scripts/docs/pages.mjs';

describe('The documentation', () => {
  it.each([...generatedPages()])('%s is what the code says (npm run docs makes it)', (path, text) => {
    expect(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')).toBe(text);
  });
});

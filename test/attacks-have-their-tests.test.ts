import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url);
const page = readFileSync(new URL('SECURITY.md', root), 'utf8');
const table = page.slice(page.indexOf('## Attacks, and the test of each'));
const rows = table
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.split(' | '));

describe('The table of attacks in SECURITY.md', () => {
  it('is not empty', () => {
    expect(rows.length).toBeGreaterThan(20);
  });

  it.each(rows)('names tests that exist: %s', (attack, outcome, tests = '') => {
    expect([attack, outcome].map((cell) => (cell ?? '').length > 2)).toEqual([true, true]);
    const names = [...tests.matchAll(/`((?:test|apps|packages)\/[^`]+)`/g)].map(([, name]) => `${name}.test.ts`);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect([name, existsSync(new URL(name, root))]).toEqual([name, true]);
  });
});

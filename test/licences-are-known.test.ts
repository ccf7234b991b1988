import { describe, expect, it } from 'vitest';
import { shippedPackages } from '../scripts/docs/licences-page.mjs';

/** Each may be passed on with Millrace by its notice alone. */
const free = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
];
/** What is said of these stands in docs/licences.md. */
const explained = /^@img\/sharp-/;

describe('What Millrace brings along', () => {
  it('has licences that let it be passed on', () => {
    const packages = shippedPackages();
    expect(packages.length).toBeGreaterThan(100);
    const other = packages.filter(({ name, licence }) => {
      // One of several may be chosen.
      const choices = licence.replace(/[()]/g, '').split(' OR ');
      return !choices.some((choice) => free.includes(choice)) && !explained.test(name);
    });
    expect(other).toEqual([]);
  });

  it('is the same list on every machine: also what only another system installs', () => {
    const names = shippedPackages().map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['@img/sharp-libvips-darwin-arm64', '@img/sharp-libvips-linux-x64', 'fastify']),
    );
    expect(names).not.toContain('vitest');
  });
});

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { keyOf } from '../../apps/api/src/auth/credentials.ts';
import { hostName } from '../../apps/api/src/auth/hosts.ts';
import { openTestApi, type TestApi } from './open-test-api.ts';

const longest = 100_000;
const pieces = [
  'a',
  '-',
  '.',
  '/',
  'a-',
  'a.',
  'a/',
  '0',
  '0-',
  ' ',
  '\t',
  ':',
  '[',
  '[:',
  '"',
  '\\',
  '%',
  '=',
  '{',
  '}',
  '\u00a0',
  '\ud800',
  'é',
  'a b',
  'bearer ',
];
/** What a pattern takes at first and refuses at its very end: where one that goes back and forth would try every way. */
const traps = pieces.flatMap((piece) => {
  const many = piece.repeat(longest / piece.length);
  return [many, `${many}!`, `a${many}\n`, `${many}\u0000`];
});

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  await test.api.close();
});

/** Every `pattern` of a document. */
function patternsIn(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  const own = 'pattern' in part && typeof part.pattern === 'string' ? [part.pattern] : [];
  return [...own, ...Object.values(part).flatMap(patternsIn)];
}

// Were one of them exponential, or of a high power, it would not be done before the sun is out, let alone this test.
describe('Patterns that meet what a caller sends come to their end', () => {
  it('those of every schema', async () => {
    const document = await (await test.get('/openapi.json')).json();
    const types = await (await test.get('/v1/task-types')).json();
    const patterns = new Set([...patternsIn(document), ...patternsIn(types)]);
    expect(patterns.size).toBeGreaterThan(2);
    for (const pattern of patterns) {
      const expression = new RegExp(pattern, 'u');
      for (const trap of traps) expression.test(trap);
    }
  });

  it('those of headers', () => {
    for (const trap of traps) {
      keyOf({ authorization: `Bearer ${trap}` });
      keyOf({ authorization: `Basic${trap}` });
      hostName(trap);
    }
  });

  it('and filters, tags, names and models in tasks', async () => {
    for (const trap of pieces.map((piece) => `${piece.repeat(longest / piece.length)}!`)) {
      const bodies = [
        { type: trap, input: {} },
        { type: 'inference.embed', input: { texts: ['a'], model: trap } },
        { type: 'inference.embed', input: { texts: ['a'] }, tags: [trap] },
        { type: 'vector.search', input: { collection: trap, vectors: [[1]], topK: 1 } },
        { type: 'vector.search', input: { collection: 'c', vectors: [[1]], topK: 1, filter: { a: { $regex: trap } } } },
        { type: 'text.redact', input: { texts: ['a'], region: trap } },
      ];
      for (const body of bodies) expect((await test.post('/v1/tasks', body)).status).toBe(422);
    }
  });
});

import { type Filter, filterSchema } from '@millrace/shared/tasks/vector/filter';
import { type Metadata, metadataSchema } from '@millrace/shared/tasks/vector/metadata';
import fc from 'fast-check';
import sift from 'sift';
import { describe, expect, it } from 'vitest';
import { createFilter } from '../src/vector/filter.ts';

// A module of CommonJS: its names are found on what it exports as a whole.
const { $and, $eq, $exists, $gt, $gte, $in, $lt, $lte, $ne, $nin, $nor, $not, $or, createQueryTester } = sift;
const operations = { $and, $eq, $exists, $gt, $gte, $in, $lt, $lte, $ne, $nin, $nor, $not, $or };
const name = fc.constantFrom('a', 'b', 'c');
const scalar = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom('', 'x', 'y', 'Y', 'é'),
  fc.boolean(),
  fc.constant(null),
);
const inner = fc.dictionary(name, fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), { noNullPrototype: true });
const value = fc.oneof(scalar, inner, fc.array(inner, { minLength: 1, maxLength: 3 }));
/**
 * Where sift differs from MongoDB is left out: lists in lists, and paths that lead into lists of what are no objects; `l` is a list
 * that no path leads into.
 */
const metadata = fc
  .tuple(fc.dictionary(name, value, { noNullPrototype: true }), fc.array(fc.oneof(scalar, inner), { maxLength: 3 }))
  .map(([fields, l]) => ({ ...fields, l })) as fc.Arbitrary<Metadata>;

const ordered = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom('x', 'y', ''));
const operator = fc.oneof(
  fc.record({ $eq: scalar }),
  fc.record({ $ne: scalar }),
  fc.record({ $in: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $nin: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $gt: ordered, $lte: ordered }, { requiredKeys: ['$gt'] }),
  fc.record({ $gte: ordered }),
  fc.record({ $lt: ordered }),
  fc.record({ $exists: fc.boolean() }),
);
const condition = fc.oneof(scalar, operator, fc.record({ $not: operator }));
const path = fc.oneof(
  name,
  fc.constant('l'),
  fc.tuple(name, name).map((names) => names.join('.')),
);
const fields = fc.dictionary(path, condition, { maxKeys: 2, noNullPrototype: true });
const filter = fc.letrec<{ filter: Record<string, unknown> }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fields,
    fc.record({ $and: fc.array(tie('filter'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ $or: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ $nor: fc.array(tie('filter'), { minLength: 1, maxLength: 2 }) }),
  ),
})).filter;

describe('A filter', () => {
  it('that passes the door matches what sift matches, MongoDB’s rules as another has understood them', () => {
    fc.assert(
      fc.property(filter, metadata, (made, point) => {
        const given = JSON.parse(JSON.stringify(made)) as Filter;
        const parsed = filterSchema.parse(given);
        expect(metadataSchema.safeParse(point).success).toBe(true);
        expect(createFilter(parsed)(point)).toBe(createQueryTester(given as never, { operations })(point));
      }),
      { numRuns: 20_000 },
    );
  });

  it.each<[Filter, Metadata | null, boolean]>([
    [{}, null, true],
    [{ a: null }, null, true],
    [{ a: { $exists: false } }, null, true],
    [{ a: { $ne: 1 } }, {}, true],
    [{ a: 1, b: 2 }, { a: 1, b: 3 }, false],
    // A list matches by its entries, and each operator may be passed by another.
    [{ tags: 'x' }, { tags: ['w', 'x'] }, true],
    [{ tags: { $ne: 'x' } }, { tags: ['w', 'x'] }, false],
    [{ a: { $gt: 1, $lt: 2 } }, { a: [0, 5] }, true],
    [{ a: null }, { a: [] }, false],
    [{ a: null }, { a: [null] }, true],
    [{ a: { $exists: true } }, { a: [] }, true],
    // Types are not mixed.
    [{ a: { $gt: 1 } }, { a: '2' }, false],
    [{ a: { $gte: '1' } }, { a: 2 }, false],
    [{ a: 1 }, { a: true }, false],
    [{ a: { $in: [null] } }, {}, true],
    // Inner objects, also those in lists, by number or all.
    [{ 'author.name': 'Doyle' }, { author: { name: 'Doyle' } }, true],
    [{ 'authors.name': 'Doyle' }, { authors: [{ name: 'Wells' }, { name: 'Doyle' }] }, true],
    [{ 'authors.1.name': 'Wells' }, { authors: [{ name: 'Wells' }, { name: 'Doyle' }] }, false],
    [{ 'a.0': 1 }, { a: [1, 2] }, true],
    [{ 'a.b': { $exists: false } }, { a: 5 }, true],
    [{ 'a.b': null }, { a: [{ b: 1 }, {}] }, true],
    // As MongoDB's own tests have it: nothing is null in a list only where an object lacks it.
    [{ 'a.b': null }, { a: {} }, true],
    [{ 'a.b': null }, { a: [{}] }, true],
    [{ 'a.b': null }, { a: [] }, false],
    [{ 'a.b': null }, { a: [null] }, false],
    [{ 'a.b': null }, { a: [1, 2] }, false],
    [{ a: { $not: { $gt: 3 } } }, { a: 'x' }, true],
    // What an object only inherits it does not have, and a text and a list have no fields.
    [{ constructor: { $exists: true } }, {}, false],
    [{ 'constructor.name': 'Object' }, {}, false],
    [{ toString: { $ne: null } }, {}, false],
    [{ 'a.length': 2 }, { a: 'xy' }, false],
    [{ 'a.length': 2 }, { a: [1, 2] }, false],
    [{ constructor: 'x' }, { constructor: 'x' } as unknown as Metadata, true],
    [{ hasOwnProperty: 1 }, { hasOwnProperty: 1 } as unknown as Metadata, true],
  ])('%j of %j: %s', (given, point, matches) => {
    expect(createFilter(filterSchema.parse(given))(point)).toBe(matches);
  });
});

describe('A hostile filter', () => {
  const deep = (levels: number): unknown => (levels === 0 ? { a: 1 } : { $and: [deep(levels - 1)] });
  const nots = (levels: number): unknown => (levels === 0 ? { $eq: 1 } : { $not: nots(levels - 1) });

  it.each<[string, unknown, string]>([
    ['code', { $where: 'sleep(1000)' }, '$where'],
    ['code in a list', { $or: [{ a: 1 }, { $where: 'x' }] }, '$or.1.$where'],
    ['a pattern', { a: { $regex: '(a+)+$' } }, 'a.$regex'],
    ['a pattern beside', { a: { $eq: 1, $options: 'i' } }, 'a.$options'],
    ['a prototype', JSON.parse('{"__proto__": {"polluted": 1}}'), '__proto__'],
    ['a prototype on the way', { 'a.__proto__.b': 1 }, 'a.__proto__.b'],
    ['a prototype as operator', JSON.parse('{"a": {"__proto__": {"$eq": 1}}}'), 'a.__proto__'],
    ['nesting', deep(9), '$and.0.$and.0.$and.0.$and.0.$and.0.$and.0.$and.0.$and.0'],
    ['nesting of 1,000 levels', deep(1000), '$and.0.$and.0.$and.0.$and.0.$and.0.$and.0.$and.0.$and.0'],
    ['negations', { a: nots(9) }, 'a.$not.$not.$not.$not.$not.$not.$not.$not'],
    ['many conditions', Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`f${index}`, 1])), ''],
    ['many filters', { $or: Array.from({ length: 10_000 }, () => ({})) }, '$or.255'],
    ['a long list', { a: { $in: Array.from({ length: 10_000 }, (_, index) => index) } }, 'a.$in'],
    ['no list', { $or: { a: 1 } }, '$or'],
    ['an empty list', { $or: [] }, '$or'],
    ['no operator', { a: {} }, 'a'],
    ['an object', { a: { b: 1 } }, 'a.b'],
    ['a list', { a: [1] }, 'a'],
    ['no condition', { a: undefined }, 'a'],
    ['no filter', 'a', ''],
    ['nothing', null, ''],
  ])('with %s is refused, and the path says where', (_, given, where) => {
    const parsed = filterSchema.safeParse(given);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([where]);
  });
});

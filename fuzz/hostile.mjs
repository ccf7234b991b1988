import fc from 'fast-check';

/** Texts that mean something to somebody on the way: paths, prototypes, logs, headers, Redis, Lua, regular expressions, Unicode. */
export const hostileTexts = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\r\nset-cookie: a=b',
  '{"level":60,"msg":"forged"}\n',
  '../../../../etc/passwd',
  '..',
  '..\\..\\x',
  '/etc/passwd',
  'file:///etc/passwd',
  'http://169.254.169.254/latest/meta-data/',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '{fuzz}:admin-key',
  '{other}:x',
  '*',
  "'; redis.call('FLUSHALL') --",
  '%00',
  '%2e%2e%2f',
  '%',
  '$where',
  '(a+)+$',
  `${'a'.repeat(50)}!`,
  '<script>alert(1)</script>',
  '\ud800',
  '\udfff\ud800',
  '\u202e\u2066',
  'e\u0301'.repeat(20),
  '👩‍👩‍👧‍👦'.repeat(10),
  'ﷺ'.repeat(30),
  'NaN',
  '-1',
  '1e999',
  '0x10',
  'null',
  'undefined',
  'x'.repeat(300),
  'x'.repeat(70_000),
  '*'.repeat(2000),
  '<'.repeat(2000),
  '1'.repeat(400),
];

/** Numbers at the edges of their kinds. */
const hostileNumbers = [
  0,
  -0,
  -1,
  0.1,
  5e-324,
  1e308,
  -1e308,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  8.64e15,
  8.64e15 + 1,
  3.4028236e38,
];

/** @param {number} levels */
function deepList(levels) {
  /** @type {unknown} */
  let value = [];
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

/** Any value where another was expected. */
export const hostileValue = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.constantFrom(...hostileNumbers),
  fc.constantFrom(null, true, false, [], {}, [[]], [null], { $ref: '#' }),
  fc.constantFrom(JSON.parse('{"__proto__":{"polluted":true}}'), { constructor: { prototype: { polluted: true } } }),
  fc.constantFrom(deepList(40), deepList(600), new Array(5000).fill(0), new Array(300).fill('x')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Bodies that are no JSON, or none that anybody would write; most are made of one that is. */
export const bodyTwists = /** @type {const} */ ([
  'cut',
  'doubled keys',
  'trailing',
  'mark of order',
  'broken utf-8',
  'utf-16',
  'nested',
  'nothing',
  'packed',
  'long numbers',
  'as lines',
]);

/** @typedef {(typeof bodyTwists)[number]} BodyTwist */

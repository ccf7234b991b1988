import fc from 'fast-check';
import { bodyTwists, hostileTexts, hostileValue } from './hostile.mjs';
import { valuesOf } from './json-schema.mjs';

/**
 * @typedef {object} Parameter
 * @property {string} name
 * @property {'path' | 'query' | 'header'} in
 * @property {import('./json-schema.mjs').Schema} schema
 */
/**
 * @typedef {object} Operation of the OpenAPI document
 * @property {string} method
 * @property {string} path with `{names}`
 * @property {boolean} isOpenAi
 * @property {Parameter[]} parameters
 * @property {[type: string, schema: import('./json-schema.mjs').Schema][]} bodies
 * @property {Record<string, { content?: Record<string, unknown> }>} responses
 */
/**
 * A request before the names of things that exist are put in and its body becomes bytes.
 *
 * @typedef {object} Plan
 * @property {Operation} operation
 * @property {Record<string, unknown>} path
 * @property {Record<string, unknown>} query
 * @property {Record<string, unknown>} headers
 * @property {[type: string, value: unknown] | undefined} body
 * @property {import('./hostile.mjs').BodyTwist | undefined} twist
 * @property {{ at: number, how: 'replace' | 'remove' | 'add', value: unknown, name: string }[]} changes of the body
 * @property {string | undefined} method in place of the right one
 * @property {string | undefined} type in place of the right one
 * @property {'admin' | 'enqueue' | 'read' | 'none' | 'wrong'} key
 * @property {Record<string, string>} odd headers
 * @property {number} dice for what only the run knows
 */

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'];
const types = [
  'application/json',
  'application/json; charset=latin1',
  'APPLICATION/JSON',
  'application/x-ndjson',
  'text/plain',
  'text/html',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'application/json, text/plain',
  ';',
  'x'.repeat(500),
];
const oddHeaders = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-origin' },
  { host: 'evil.example' },
  { host: '' },
  { host: '[::1' },
  { 'x-request-id': 'a b"\\' },
  { 'x-request-id': 'x'.repeat(5000) },
  { 'x-forwarded-for': '1.2.3.4', 'x-forwarded-host': 'evil.example' },
  { 'idempotency-key': 'x'.repeat(3000) },
  { 'idempotency-key': 'k' },
  { 'content-encoding': 'gzip' },
  { expect: '100-continue' },
  { accept: 'application/octet-stream' },
  { accept: 'text/event-stream' },
  { accept: 'text/html' },
  { accept: ';q=,' },
  { range: 'bytes=0-10,5-2,-1' },
  { 'if-none-match': '*' },
  { connection: 'close' },
  { 'last-event-id': '-1' },
  { 'user-agent': '() { :; }; echo' },
  { traceparent: '00-zz-zz-01' },
  { authorization: 'Bearer' },
  { authorization: `Basic ${'!'.repeat(2000)}` },
  { cookie: 'a=b; '.repeat(300) },
];

/**
 * Requests of all operations alike: most nearly right, some as no program would send them.
 *
 * @param {Operation[]} operations
 * @param {Record<string, import('./json-schema.mjs').Schema>} named
 * @returns {fc.Arbitrary<Plan>}
 */
export function plansOf(operations, named) {
  return fc.oneof(...operations.map((operation) => planOf(operation, named)));
}

/**
 * @param {Operation} operation
 * @param {Record<string, import('./json-schema.mjs').Schema>} named
 * @returns {fc.Arbitrary<Plan>}
 */
function planOf(operation, named) {
  const { parameters, bodies } = operation;
  /** @param {Parameter['in']} place */
  const values = (place) => {
    const here = parameters.filter((parameter) => parameter.in === place);
    const fields = here.map(({ name, schema }) => [name, parameterOf(name, schema, named)]);
    const record = Object.fromEntries(fields);
    return place === 'path' ? fc.record(record) : fc.record(record, { requiredKeys: [] });
  };
  /** @type {fc.Arbitrary<[string, unknown]>[]} */
  const body = bodies.map(([type, schema]) => fc.tuple(fc.constant(type), valuesOf(schema, named)));
  const plan = fc.record({
    operation: fc.constant(operation),
    path: values('path'),
    query: fc.oneof({ weight: 8, arbitrary: values('query') }, { weight: 1, arbitrary: oddQuery }),
    headers: values('header'),
    body:
      body.length > 0 ? seldomNot(fc.oneof(...body)) : rarely(12, fc.tuple(fc.constantFrom(...types), hostileValue)),
    twist: rarely(10, fc.constantFrom(...bodyTwists)),
    changes: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 2, arbitrary: fc.array(change, { maxLength: 2 }) },
    ),
    method: rarely(25, fc.constantFrom(...methods)),
    type: rarely(20, fc.constantFrom(...types)),
    key: fc.oneof(
      { weight: 20, arbitrary: fc.constant('admin') },
      { weight: 3, arbitrary: fc.constantFrom('enqueue', 'read', 'none', 'wrong') },
    ),
    odd: fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.constantFrom(...oddHeaders) }),
    dice: fc.nat(),
  });
  // The kinds of its parts are wider than they need be.
  return /** @type {fc.Arbitrary<any>} */ (plan);
}

/**
 * A parameter: what its schema says, something that exists, or something hostile.
 *
 * @param {string} name
 * @param {import('./json-schema.mjs').Schema} schema
 * @param {Record<string, import('./json-schema.mjs').Schema>} named
 */
function parameterOf(name, schema, named) {
  // Waits are kept short: they are many.
  const right = name === 'wait' ? fc.constantFrom(0, '0', 0.1, '0.05') : valuesOf(schema, named);
  const known = fc.constant('@known');
  return fc.oneof(
    { weight: 5, arbitrary: right },
    { weight: name === 'wait' ? 0 : 4, arbitrary: known },
    { weight: 2, arbitrary: fc.constantFrom(...hostileTexts.filter((text) => text.length < 8000)) },
  );
}

const oddQuery = fc.dictionary(
  fc.constantFrom('wait', 'limit', '__proto__', 'a[b]', 'x', 'state', 'cursor'),
  hostileValue,
  {
    maxKeys: 3,
  },
);

const change = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('replace', 'replace', 'remove', 'add'),
  value: hostileValue,
  name: fc.constantFrom('__proto__', 'extra', 'constructor', 'input', 'type', ''),
});

/**
 * @template T
 * @param {number} oneIn
 * @param {fc.Arbitrary<T>} arbitrary
 * @returns {fc.Arbitrary<T | undefined>}
 */
function rarely(oneIn, arbitrary) {
  return fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

/**
 * @template T
 * @param {fc.Arbitrary<T>} arbitrary
 * @returns {fc.Arbitrary<T | undefined>}
 */
function seldomNot(arbitrary) {
  return fc.oneof({ weight: 19, arbitrary }, { weight: 1, arbitrary: fc.constant(undefined) });
}

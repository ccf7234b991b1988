import fc from 'fast-check';
import { hostileTexts } from './hostile.mjs';

/** @typedef {{ [word: string]: any }} Schema of JSON Schema, or of OpenAPI 3.1 */
/**
 * @typedef {object} Made
 * @property {Record<string, Schema>} named what `$ref` leads to
 * @property {Map<string, fc.Arbitrary<unknown>>} known of named schemas, made once
 */

/** Deeper, whatever a schema refers to becomes null: some refer to themselves. */
const deepest = 7;
/** Lists and texts are as short as they may be, or somewhat longer: most faults need no more. */
const fewMore = 3;
const someMore = 20;

/** Texts that are right somewhere: of collections, models, files of the run. */
const sensible = [
  'fuzz',
  'a',
  'books',
  'text.clean',
  'inference.embed',
  'bge-small-en-v1.5',
  'cosine',
  '1',
  'en',
  'title',
];

/**
 * Values that a schema allows, nearly: enough that many are accepted.
 *
 * @param {Schema} schema
 * @param {Record<string, Schema>} named the document's `components.schemas`
 * @returns {fc.Arbitrary<unknown>}
 */
export function valuesOf(schema, named) {
  return anyOf(schema, { named, known: new Map() }, 0);
}

/**
 * @param {Schema} schema
 * @param {Made} made
 * @param {number} depth
 * @returns {fc.Arbitrary<unknown>}
 */
function anyOf(schema, made, depth) {
  if (depth > deepest) return fc.constant(null);
  if (typeof schema['$ref'] === 'string') return referred(schema['$ref'], made, depth);
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum']);
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices)) return fc.oneof(...choices.map((choice) => anyOf(choice, made, depth + 1)));
  if (Array.isArray(schema['allOf'])) return anyOf(Object.assign({}, ...schema['allOf']), made, depth);
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  return ofType(type, schema, { made, depth });
}

/**
 * @param {string} reference
 * @param {Made} made
 * @param {number} depth
 */
function referred(reference, made, depth) {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  const key = `${name} ${depth}`;
  const known = made.known.get(key) ?? anyOf(made.named[name] ?? {}, made, depth + 1);
  made.known.set(key, known);
  return known;
}

/**
 * @param {string | undefined} type
 * @param {Schema} schema
 * @param {{ made: Made, depth: number }} place
 * @returns {fc.Arbitrary<unknown>}
 */
function ofType(type, schema, { made, depth }) {
  switch (type) {
    case 'string':
      return textOf(schema);
    case 'integer':
      return integerOf(schema);
    case 'number':
      return fc.oneof(integerOf(schema), fc.double({ min: -2, max: 2, noNaN: true }));
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array': {
      const least = schema['minItems'] ?? 0;
      const most = Math.min(schema['maxItems'] ?? Number.POSITIVE_INFINITY, least + fewMore);
      return fc.array(anyOf(schema['items'] ?? {}, made, depth + 1), { minLength: least, maxLength: most });
    }
    case 'object':
      return objectOf(schema, made, depth);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

/**
 * @param {Schema} schema
 * @param {Made} made
 * @param {number} depth
 */
function objectOf(schema, made, depth) {
  const properties = Object.entries(/** @type {Record<string, Schema>} */ (schema['properties'] ?? {}));
  const fields = Object.fromEntries(properties.map(([name, field]) => [name, anyOf(field, made, depth + 1)]));
  const required = /** @type {string[]} */ (schema['required'] ?? []).filter((name) => name in fields);
  if (properties.length > 0) return fc.record(fields, { requiredKeys: required });
  const more = schema['additionalProperties'];
  const values = typeof more === 'object' ? anyOf(more, made, depth + 1) : fc.jsonValue({ maxDepth: 1 });
  return fc.dictionary(fc.oneof(fc.constantFrom('a', 'title', 'year'), fc.string({ maxLength: 8 })), values, {
    maxKeys: 3,
  });
}

/** @param {Schema} schema */
function textOf({ pattern, minLength: least = 0, maxLength = Number.POSITIVE_INFINITY }) {
  const most = Math.min(maxLength, least + someMore);
  const fitting = sensible.filter(({ length }) => length >= least && length <= maxLength);
  const plain = fc.string({ unit: 'grapheme', minLength: least, maxLength: most });
  const all = [plain, plain, ...(fitting.length > 0 ? [fc.constantFrom(...fitting)] : [])];
  if (typeof pattern === 'string') all.push(patterned(pattern), patterned(pattern));
  else all.push(fc.constantFrom(...hostileTexts));
  return fc.oneof(...all);
}

/** @param {string} pattern */
function patterned(pattern) {
  try {
    return fc.stringMatching(new RegExp(pattern));
  } catch {
    // Not all of what JavaScript knows can be turned round.
    return fc.constantFrom(...sensible);
  }
}

/** @param {Schema} schema */
function integerOf({ minimum = -5, maximum = Number.MAX_SAFE_INTEGER, exclusiveMinimum }) {
  const least = Math.ceil(exclusiveMinimum === undefined ? minimum : exclusiveMinimum + 1);
  const most = Math.floor(Math.max(least, maximum));
  const near = fc.integer({ min: least, max: Math.min(most, least + 400) });
  return fc.oneof(near, near, fc.constantFrom(least, most));
}

/**
 * A JSON Schema as z.toJSONSchema makes it; only what the documentation reads.
 *
 * @typedef {object} Schema
 * @property {string} [description]
 * @property {string | string[]} [type]
 * @property {unknown[]} [enum]
 * @property {unknown} [const]
 * @property {unknown} [default]
 * @property {string} [$ref]
 * @property {Record<string, Schema>} [$defs]
 * @property {Record<string, Schema>} [properties]
 * @property {string[]} [required]
 * @property {Schema | boolean} [additionalProperties]
 * @property {Schema} [items]
 * @property {Schema[]} [anyOf]
 * @property {Schema[]} [oneOf]
 * @property {string} [contentEncoding]
 * @property {number} [minItems]
 * @property {number} [maxItems]
 * @property {number} [minLength]
 * @property {number} [maxLength]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {number} [exclusiveMinimum]
 * @property {number} [exclusiveMaximum]
 */
/**
 * @typedef {object} Field
 * @property {string} path such as `points[].id`
 * @property {boolean} isOptional
 * @property {string} type
 * @property {string} bounds
 * @property {string} meaning
 */

/** Deeper than that nobody reads a table. */
const deepest = 4;

/**
 * The fields of an object, each before those inside it. Of alternatives those that all have come first, then what each has of its own.
 *
 * @param {Schema} schema
 * @returns {Field[]}
 */
export function fieldsOf(schema) {
  return objectFields(schema, { root: schema, path: '', depth: 0 });
}

/** @typedef {{ root: Schema, path: string, depth: number }} Place */

/**
 * @param {Schema} schema
 * @param {Place} place
 * @returns {Field[]}
 */
function objectFields(schema, place) {
  const alternatives = alternativesOf(schema).filter(({ properties }) => properties !== undefined);
  if (alternatives.length > 0) return alternativeFields(alternatives, place);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    fieldAndInner(field, { ...place, path: place.path + name }, !(schema.required ?? []).includes(name)),
  );
}

/**
 * @param {Schema[]} alternatives
 * @param {Place} place
 * @returns {Field[]}
 */
function alternativeFields(alternatives, place) {
  const told = tellingField(alternatives);
  const all = alternatives.map((alternative) => ({
    values: told === undefined ? [] : valuesOf(alternative.properties?.[told]),
    fields: objectFields(alternative, place).filter(({ path }) => told === undefined || path !== place.path + told),
  }));
  /** @type {Map<string, { field: Field, values: unknown[], times: number }>} */
  const found = new Map();
  for (const { values, fields } of all) {
    for (const field of fields) {
      const known = found.get(JSON.stringify(field));
      if (known === undefined) found.set(JSON.stringify(field), { field, values: [...values], times: 1 });
      else {
        known.values.push(...values);
        known.times += 1;
      }
    }
  }
  const fields = [...found.values()].map(({ field, values, times }) =>
    times === all.length || values.length === 0
      ? field
      : { ...field, meaning: `${field.meaning} (${values.join(', ')})`.trim() },
  );
  if (told === undefined) return fields;
  const type = all.flatMap(({ values }) => values.map((value) => JSON.stringify(value))).join(' | ');
  const meaning = alternatives[0]?.properties?.[told]?.description ?? '';
  return [{ path: place.path + told, isOptional: false, type, bounds: '', meaning }, ...fields];
}

/** The field whose values tell the alternatives apart. @param {Schema[]} alternatives */
function tellingField(alternatives) {
  const names = Object.keys(alternatives[0]?.properties ?? {});
  return names.find((name) => alternatives.every(({ properties }) => valuesOf(properties?.[name]).length > 0));
}

/** @param {Schema | undefined} schema */
function valuesOf(schema) {
  return schema?.enum ?? (schema?.const === undefined ? [] : [schema.const]);
}

/**
 * @param {Schema} field
 * @param {Place} place
 * @param {boolean} isOptional
 * @returns {Field[]}
 */
function fieldAndInner(field, { root, path, depth }, isOptional) {
  const schema = resolve(field, root);
  const own = {
    path,
    isOptional,
    type: typeOf(schema, root),
    bounds: boundsOf(schema),
    meaning: schema.description ?? '',
  };
  if (depth === deepest) return [own];
  const [inner, suffix] = schema.items === undefined ? [schema, '.'] : [resolve(schema.items, root), '[].'];
  return [own, ...objectFields(inner, { root, path: `${path}${suffix}`, depth: depth + 1 })];
}

/**
 * @param {Schema} schema
 * @param {Schema} root
 * @param {number} [depth]
 * @returns {string} in the notation of TypeScript, about
 */
export function typeOf(schema, root, depth = 0) {
  const { type, items, contentEncoding, ...rest } = resolve(schema, root);
  if (depth > deepest) return '…';
  if (rest.enum !== undefined) return rest.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (rest.const !== undefined) return JSON.stringify(rest.const);
  const alternatives = alternativesOf(rest);
  if (alternatives.length > 0)
    return [...new Set(alternatives.map((alternative) => typeOf(alternative, root, depth + 1)))].join(' | ');
  if (type === 'array') {
    const inner = typeOf(items ?? {}, root, depth + 1);
    return inner.includes(' | ') ? `(${inner})[]` : `${inner}[]`;
  }
  return contentEncoding ?? (Array.isArray(type) ? type.join(' | ') : (type ?? 'any'));
}

/**
 * @param {Schema} schema
 * @param {Schema} root
 * @returns {Schema}
 */
export function resolve(schema, root) {
  if (schema.$ref === undefined) return schema;
  const { $ref, ...rest } = schema;
  if ($ref === '#') return { ...root, ...rest };
  return { ...root.$defs?.[$ref.replace('#/$defs/', '')], ...rest };
}

/** @param {Schema} schema */
export function alternativesOf({ anyOf, oneOf }) {
  return anyOf ?? oneOf ?? [];
}

/** What zod writes for any whole number. */
const anyInteger = 2 ** 53 - 1;

/**
 * @param {Schema} schema
 * @returns {string}
 */
function boundsOf(schema) {
  const { minItems, maxItems, minLength, maxLength } = schema;
  const least = schema.minimum === -anyInteger ? undefined : schema.minimum;
  const most = schema.maximum === anyInteger ? undefined : schema.maximum;
  const above = schema.exclusiveMinimum === undefined ? '' : `above ${schema.exclusiveMinimum}`;
  const below = schema.exclusiveMaximum === undefined ? '' : `below ${schema.exclusiveMaximum}`;
  const all = [
    range(minItems, maxItems, ' entries'),
    range(minLength, maxLength, ' characters'),
    range(least, most, ''),
    above,
    below,
    schema.default === undefined ? '' : `default ${JSON.stringify(schema.default)}`,
  ];
  return all.filter((text) => text !== '').join(', ');
}

/**
 * @param {number | undefined} least
 * @param {number | undefined} most
 * @param {string} unit
 */
function range(least, most, unit) {
  const [from, to] = [least, most].map((bound) => bound?.toLocaleString('en'));
  if (from !== undefined && to !== undefined) return `${from} to ${to}${unit}`;
  if (from !== undefined)
    return `at least ${from}${least === 1 ? unit.replace('entries', 'entry').replace(/s$/, '') : unit}`;
  return to === undefined ? '' : `at most ${to}${unit}`;
}

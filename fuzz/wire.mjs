import { gzipSync } from 'node:zlib';

/** @typedef {import('./requests.mjs').Plan} Plan */
/**
 * @typedef {object} Wire a request as it is sent
 * @property {string} method
 * @property {string} target path and query
 * @property {Record<string, string>} headers
 * @property {Buffer | undefined} body
 * @property {boolean} isOperation method and path are those of the operation
 */
/** @typedef {import('./known.mjs').Known} Known */

/** So much is deep enough to end a reader that calls itself. */
const nestedLevels = 50_000;
/** Longer query values would only meet the limit of headers. */
const longestQueryValue = 3000;
const longestPathValue = 6000;
const boundary = 'fuzz-boundary';

/**
 * @param {Plan} plan
 * @param {{ keys: Record<string, string>, known: Known }} run
 * @returns {Wire}
 */
export function wireOf(plan, { keys, known }) {
  const { operation, dice } = plan;
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name) => {
    const value = plan.path[name];
    const text = value === '@known' ? known.pick(operation.path, name, dice) : String(value);
    return encodeURIComponent(wellFormed(text.slice(0, longestPathValue)));
  });
  const query = Object.entries(plan.query).map(([name, value]) => {
    const text =
      value === '@known'
        ? known.pick(operation.path, name, dice)
        : typeof value === 'string'
          ? value
          : JSON.stringify(value);
    return `${encodeURIComponent(name)}=${encodeURIComponent(wellFormed(text).slice(0, longestQueryValue))}`;
  });
  const { bytes, type } = bodyOf(plan, known);
  const key = keys[plan.key];
  const given = Object.entries(plan.headers).map(([name, value]) => [
    name,
    value === '@known' ? known.pick(operation.path, name, dice) : String(value),
  ]);
  /** @type {Record<string, string>} */
  const headers = {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(bytes === undefined ? {} : { 'content-type': type, 'content-length': String(bytes.length) }),
    ...Object.fromEntries(given),
    ...plan.odd,
  };
  for (const [name, value] of Object.entries(headers)) headers[name] = bearable(value);
  return {
    method: plan.method ?? operation.method,
    target: query.length === 0 ? path : `${path}?${query.join('&')}`,
    headers,
    body: bytes,
    isOperation: (plan.method ?? operation.method) === operation.method && !/\/\/|\/$/.test(path),
  };
}

/**
 * @param {Plan} plan
 * @param {Known} known
 * @returns {{ bytes: Buffer | undefined, type: string }}
 */
function bodyOf({ body, changes, twist, type, dice }, known) {
  if (body === undefined) return { bytes: undefined, type: '' };
  const [right, value] = body;
  if (right.startsWith('multipart/'))
    return { bytes: multipart(value, dice), type: type ?? `${right}; boundary=${boundary}` };
  const changed = changes.reduce(changedAt, structuredClone(value));
  const text = withKnown(right.includes('ndjson') ? linesOf(changed) : (JSON.stringify(changed) ?? ''), known, dice);
  return { bytes: twisted(text, twist), type: type ?? right };
}

/**
 * One place of a value, counted through, becomes another.
 *
 * @param {any} value
 * @param {Plan['changes'][number]} change
 */
function changedAt(value, { at, how, value: hostile, name }) {
  // A copy, or the next change would change it for all that follow.
  const other = structuredClone(hostile);
  /** @type {[holder: any, key: string | number][]} */
  const places = [];
  /** @param {any} part */
  const walk = (part) => {
    if (typeof part !== 'object' || part === null || places.length > 500) return;
    for (const key of Object.keys(part)) {
      places.push([part, key]);
      walk(part[key]);
    }
  };
  walk(value);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return other;
  const [holder, key] = place;
  if (how === 'replace') holder[key] = other;
  else if (how === 'remove') delete holder[key];
  else Object.defineProperty(holder, name, { value: other, enumerable: true, configurable: true, writable: true });
  return value;
}

/** @param {unknown} value */
function linesOf(value) {
  return `${JSON.stringify({ type: 'text.clean', input: { texts: ['a'], format: 'plain' } })}\n${JSON.stringify(value)}\n`;
}

/**
 * Some of the names in a body become those of things that exist.
 *
 * @param {string} text
 * @param {Known} known
 * @param {number} dice
 */
function withKnown(text, known, dice) {
  return text.replaceAll(
    /"(input_file_id|collection)":"[^"]*"/g,
    (_all, name) => `"${name}":${JSON.stringify(known.pick(name, name, dice))}`,
  );
}

/**
 * @param {unknown} value
 * @param {number} dice
 */
function multipart(value, dice) {
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const names = ['a.jsonl', '../../etc/passwd', 'a"b', '', 'ü\u0000', 'x'.repeat(3000)];
  const parts = fields.map(([name, field]) => {
    const isFile = name === 'file';
    const filename = isFile ? `; filename="${names[dice % names.length]}"` : '';
    const text = isFile ? linesOfRun(field, dice) : typeof field === 'string' ? field : JSON.stringify(field);
    return `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${filename}\r\n\r\n${text}\r\n`;
  });
  const end = dice % 9 === 0 ? '' : `--${boundary}--\r\n`;
  return Buffer.from(parts.join('') + end);
}

/**
 * The input of a run, which its worker reads later.
 *
 * @param {unknown} field
 * @param {number} dice
 */
function linesOfRun(field, dice) {
  const task = { type: 'text.clean', input: { texts: ['a'], format: 'plain' } };
  const line = { custom_id: `c-${dice % 5}`, method: 'POST', url: '/v1/tasks', body: dice % 2 === 0 ? task : field };
  return `${JSON.stringify(line)}\n`.repeat(dice % 3) + (dice % 4 === 0 ? String(field) : '');
}

/**
 * @param {string} text
 * @param {import('./hostile.mjs').BodyTwist | undefined} twist
 * @returns {Buffer}
 */
function twisted(text, twist) {
  switch (twist) {
    case undefined:
      return Buffer.from(text);
    case 'cut':
      return Buffer.from(text.slice(0, Math.floor(text.length / 2)));
    case 'doubled keys':
      return Buffer.from(text.replace('{', '{"type":"text.clean","__proto__":{"a":1},"type":1,'));
    case 'trailing':
      return Buffer.from(`${text}{}`);
    case 'mark of order':
      return Buffer.from(`\ufeff${text}`);
    case 'broken utf-8':
      return Buffer.concat([
        Buffer.from(text.slice(0, 20)),
        Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0]),
        Buffer.from(text.slice(20)),
      ]);
    case 'utf-16':
      return Buffer.from(text, 'utf16le');
    case 'nested':
      return Buffer.from(`{"type":"text.clean","input":${'['.repeat(nestedLevels)}${']'.repeat(nestedLevels)}}`);
    case 'nothing':
      return Buffer.from(' ');
    case 'packed':
      return gzipSync(text);
    case 'long numbers':
      return Buffer.from(text.replaceAll(/:\d+/g, `:${'9'.repeat(2000)}`));
    case 'as lines':
      return Buffer.from(`${text}\n\n\r\n${text}\n{\n`);
  }
}

/** @param {string} text */
function wellFormed(text) {
  return text.toWellFormed();
}

/**
 * What Node lets a header have; what it does not is sent as raw bytes elsewhere.
 *
 * @param {string} text
 */
function bearable(text) {
  return text.replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '').slice(0, 6000);
}

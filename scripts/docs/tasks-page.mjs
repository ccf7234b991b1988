import { createCatalog } from '@millrace/shared/tasks/catalog';
import { jsonSchemasOf } from '@millrace/shared/tasks/json-schemas';
import { alternativesOf, fieldsOf, resolve, typeOf } from './schema-fields.mjs';

/** @typedef {import('@millrace/shared/tasks/define-task-type').TaskType} TaskType */
/** @typedef {import('./schema-fields.mjs').Schema} Schema */

/**
 * docs/tasks.md: every task type, as its schemas tell of it.
 *
 * @param {string} made the sentence that says where the page comes from
 */
export function tasksPage(made) {
  const types = [...createCatalog().values()];
  return [
    '# Task types',
    '',
    made,
    '',
    'What each type takes and gives. GET /v1/task-types has the same as JSON Schema, with the types of your own',
    '([plugins.md](plugins.md)) and the limits as they are set; a misspelt field is refused. Every task also takes',
    '`priority`, `delayMs`, `expiresInMs`, `timeoutMs`, `attempts`, `backoff`, `tags`, `resultTtlMs` and `webhook` beside `input`.',
    '',
    '| type | what it does | most items | most input |',
    '| --- | --- | --- | --- |',
    ...types.map(overviewRow),
    '',
    ...types.flatMap(section),
  ].join('\n');
}

/** @param {TaskType} taskType */
function overviewRow({ type, description, limits: { items, bytes } }) {
  const anchor = type.replaceAll(/[^a-z0-9-]/g, '');
  return `| [\`${type}\`](#${anchor}) | ${cell(description)} | ${items.toLocaleString('en')} | ${mebibytes(bytes)} |`;
}

/**
 * @param {TaskType} taskType
 * @returns {string[]}
 */
function section(taskType) {
  const { type, family, description, example } = taskType;
  const { input, output } = jsonSchemasOf(taskType);
  const collection = taskType.collection(example);
  return [
    `## ${type}`,
    '',
    `${description} Family \`${family}\`.`,
    '',
    ...table('input', input),
    '',
    ...table('result', output),
    '',
    ...(collection === undefined
      ? []
      : [`The collection has to be there first: PUT /v1/collections/${collection.name}.`, '']),
    '```sh',
    "curl -s 'http://127.0.0.1:3000/v1/tasks?wait=30' -H 'content-type: application/json' \\",
    `  -d '${quoted({ type, input: example })}'`,
    '```',
    '',
    'The answer is the task; once it has succeeded its `result` is',
    '',
    '```ts',
    shapeOf(output, output),
    '```',
    '',
  ];
}

/**
 * @param {string} title
 * @param {Schema} schema
 * @returns {string[]}
 */
function table(title, schema) {
  const rows = fieldsOf(schema).map(({ path, isOptional, type, bounds, meaning }) => {
    const kind = [`\`${cell(type)}\``, bounds, isOptional && title === 'input' ? 'optional' : ''];
    return `| \`${path}\` | ${kind.filter((part) => part !== '').join(', ')} | ${cell(meaning)} |`;
  });
  return [`| ${title} | | meaning |`, '| --- | --- | --- |', ...rows];
}

/**
 * The shape of a result, one field of the top a line.
 *
 * @param {Schema} schema
 * @param {Schema} root
 * @param {number} [depth]
 * @returns {string}
 */
function shapeOf(schema, root, depth = 0) {
  const resolved = resolve(schema, root);
  const { items, properties, required = [] } = resolved;
  if (items !== undefined) {
    const inner = shapeOf(items, root, depth + 1);
    return inner.includes(' | ') && !inner.startsWith('{') ? `(${inner})[]` : `${inner}[]`;
  }
  const objects = alternativesOf(resolved).filter((alternative) => resolve(alternative, root).properties !== undefined);
  if (objects.length > 0 && depth < 5)
    return alternativesOf(resolved)
      .map((alternative) => shapeOf(alternative, root, depth + 1))
      .join(' | ');
  if (properties === undefined || depth > 5) return typeOf(resolved, root);
  const fields = Object.entries(properties).map(
    ([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${shapeOf(field, root, depth + 1)}`,
  );
  return depth === 0 ? `{\n${fields.map((field) => `  ${field};\n`).join('')}}` : `{ ${fields.join('; ')} }`;
}

/** JSON between the single quotes of a shell. @param {unknown} value */
function quoted(value) {
  return JSON.stringify(value).replaceAll("'", '\\u0027');
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** @param {number} bytes */
function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toLocaleString('en', { maximumFractionDigits: 1 })} MiB`;
}

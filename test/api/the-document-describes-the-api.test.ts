import { builtinTaskTypes } from '@millrace/shared/tasks/catalog';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { embedTask, openTestApi, type TestApi } from './open-test-api.ts';
import { openStandInWorker } from './stand-in-worker.ts';

type Schema = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { name: string; in: string; schema: Schema; required?: boolean }[];
  readonly requestBody?: { content: Record<string, { schema: Schema }> };
  readonly responses: Record<string, { description: string; content: Record<string, { schema: Schema }> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

let test: TestApi;
let worker: { close(): Promise<void> };
let document: Document;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
  worker = openStandInWorker(test);
  document = (await (await test.get('/openapi.json')).json()) as Document;
});
afterAll(async () => {
  await worker.close();
  await test.api.close();
});

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** The schema that the document has for an answer, its references resolved. */
function schemaOf(path: string, method: string, { status, type }: { status: number; type: string }) {
  const schema = document.paths[path]?.[method]?.responses[status]?.content[type]?.schema;
  if (schema === undefined) throw new Error(`${method} ${path} has no schema for ${status} ${type}`);
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
}

const builtinTypes = Object.keys(builtinTaskTypes).sort();

describe('The OpenAPI document', () => {
  it('is 3.1, and every reference in it leads somewhere', () => {
    expect(document.openapi).toBe('3.1.0');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(0);
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name ?? '');
    const names = ['AcceptedTask', 'Problem', 'Queue', 'Task', 'Worker'];
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(names));
  });

  it('has every route, each with a name of its own, a summary, its parameters and its answers', () => {
    const names = operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation } of operations()) {
      expect(operation.summary).not.toBe('');
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => name)).toEqual(inPath);
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
      for (const { description } of Object.values(operation.responses)) expect(description).not.toBe('');
    }
    const routes = operations().map(({ method, path }) => `${method} ${path}`);
    expect(routes).toEqual(
      expect.arrayContaining([
        'get /errors/{code}',
        'get /healthz',
        'get /metrics',
        'get /readyz',
        'get /v1/queues',
        'get /v1/task-types',
        'get /v1/tasks/{id}',
        'get /v1/tasks/{id}/result',
        'get /v1/workers',
        'post /v1/tasks',
        'post /v1/tasks/bulk',
      ]),
    );
  });

  it('shows the body of a task, type by type, and that many tasks may come as lines', () => {
    const one = document.paths['/v1/tasks']?.['post']?.requestBody?.content['application/json']?.schema;
    const types = (one?.['anyOf'] as { properties: { type: { enum: string[] }; input: Schema } }[]) ?? [];
    expect(types.map(({ properties }) => properties.type.enum[0]).sort()).toEqual(builtinTypes);
    for (const { properties } of types) expect(Object.keys(properties.input).length).toBeGreaterThan(0);
    const embed = types.find(({ properties }) => properties.type.enum[0] === 'inference.embed');
    expect(embed?.properties.input).toHaveProperty('properties.texts');
    const many = document.paths['/v1/tasks/bulk']?.['post']?.requestBody?.content ?? {};
    expect(Object.keys(many)).toEqual(['application/json', 'application/x-ndjson']);
  });

  it('is true of what the API answers', async () => {
    const json = 'application/json';
    const problem = 'application/problem+json';
    const finished = await test.post('/v1/tasks?wait=20', embedTask(['a'], { tags: ['t'] }));
    const task = (await finished.json()) as { id: string };
    const answers: [string, string, Response | object, { status: number; type: string }][] = [
      ['/v1/tasks', 'post', task, { status: 200, type: json }],
      ['/v1/tasks', 'post', await test.post('/v1/tasks', embedTask(['a'])), { status: 202, type: json }],
      ['/v1/tasks', 'post', await test.post('/v1/tasks', embedTask([''])), { status: 422, type: problem }],
      ['/v1/tasks', 'post', await test.post('/v1/tasks', '{'), { status: 400, type: problem }],
      [
        '/v1/tasks/bulk',
        'post',
        await test.post('/v1/tasks/bulk', { tasks: [embedTask(['a']), embedTask([''])] }),
        { status: 200, type: json },
      ],
      ['/v1/tasks/{id}', 'get', await test.get(`/v1/tasks/${task.id}`), { status: 200, type: json }],
      ['/v1/tasks/{id}', 'get', await test.get('/v1/tasks/none'), { status: 404, type: problem }],
      ['/v1/tasks/{id}/result', 'get', await test.get(`/v1/tasks/${task.id}/result`), { status: 200, type: json }],
      ['/v1/task-types', 'get', await test.get('/v1/task-types'), { status: 200, type: json }],
      ['/v1/queues', 'get', await test.get('/v1/queues'), { status: 200, type: json }],
      ['/v1/workers', 'get', await test.get('/v1/workers'), { status: 200, type: json }],
      ['/healthz', 'get', await test.get('/healthz'), { status: 200, type: json }],
      ['/readyz', 'get', await test.get('/readyz'), { status: 200, type: json }],
      ['/errors/{code}', 'get', await test.get('/errors/QUEUE_FULL'), { status: 200, type: json }],
    ];
    for (const [path, method, answer, expected] of answers) {
      const body = answer instanceof Response ? await answer.json() : answer;
      if (answer instanceof Response) expect([path, answer.status]).toEqual([path, expected.status]);
      const parsed = schemaOf(path, method, expected).safeParse(body);
      expect(parsed.error?.issues ?? [], `${method} ${path}`).toEqual([]);
    }
  });

  it('has a page, and the first address leads to it', async () => {
    expect(await (await test.get('/')).text()).toContain('<a href="/docs">');
    const page = await test.get('/docs');
    expect(page.headers.get('content-type')).toMatch(/text\/html/);
    expect(await page.text()).toContain('Millrace API');
  });
});

describe('GET /v1/task-types', () => {
  it('gives for each type a schema that its own example satisfies, and the limits that hold here', async () => {
    const limited = await openTestApi(test.redisUrl, {
      TASK_LIMITS: new Map([['inference.embed', { items: 2, bytes: 100_000 }]]),
    });
    const { types } = (await (await limited.get('/v1/task-types')).json()) as {
      types: { type: string; limits: object; example: unknown; input: Schema; output: Schema }[];
    };
    expect(types.map(({ type }) => type).sort()).toEqual(builtinTypes);
    // The examples of vectors work on a collection that somebody has made.
    await limited.api.mill.collections.put('books', { dimensions: 384, metric: 'cosine' });
    for (const { type, example, input, output } of types) {
      expect(z.fromJSONSchema(input as never).safeParse(example).success).toBe(true);
      expect(output).toHaveProperty('type', 'object');
      expect((await limited.post('/v1/tasks', { type, input: example })).status).toBe(202);
    }
    expect(types.find(({ type }) => type === 'inference.embed')?.limits).toEqual({ items: 2, bytes: 100_000 });
    expect((await limited.post('/v1/tasks', embedTask(['a', 'b', 'c']))).status).toBe(422);
    await limited.api.close();
  });

  it('knows the types of plugins, and tasks of them are accepted and checked', async () => {
    const plugged = await openTestApi(test.redisUrl, { MILLRACE_PLUGINS: ['./test/setup/trouble-plugin.mjs'] });
    const { types } = (await (await plugged.get('/v1/task-types')).json()) as {
      types: { type: string; example: unknown }[];
    };
    const own = types.find(({ type }) => !builtinTypes.includes(type));
    expect(own).toBeDefined();
    expect((await plugged.post('/v1/tasks', { type: own?.type, input: own?.example })).status).toBe(202);
    expect((await plugged.post('/v1/tasks', { type: own?.type, input: 7 })).status).toBe(422);
    await plugged.api.close();
  });
});

import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';
import { version } from '../version.ts';
import { withCommonAnswers } from './common-answers.ts';

const about = `Tasks go in, batches are computed, results come out. Every error is RFC 9457 problem details with a stable code.
A task is enqueued with POST /v1/tasks and read with GET /v1/tasks/{id}; both wait for its end with \`?wait=SECONDS\`.`;

const tags = [
  { name: 'tasks', description: 'Enqueue tasks, read and steer them, read their results.' },
  { name: 'collections', description: 'Points with vectors and metadata, and an index over them.' },
  { name: 'schedules', description: 'Tasks that come again and again.' },
  {
    name: 'openai',
    description: "OpenAI's shape, for its clients: embeddings, models, files and batches (runs over a corpus).",
  },
  { name: 'operation', description: 'Queues, workers, health.' },
];

/** The OpenAPI document, made of the routes' own schemas. Comes before the routes, for it listens as they are added. */
export async function describeRoutes(app: ApiServer, deps: ApiDeps): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Millrace', version, description: about, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/' }],
      tags,
      ...security(deps.keyring.open),
    },
    transform: (document) => {
      const { schema, route } = document;
      if (schema === undefined || schema.hide === true) return withNdjson(jsonSchemaTransform(document));
      return withNdjson(jsonSchemaTransform({ ...document, schema: withCommonAnswers(schema, route, deps) }));
    },
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
  });
}

/** The document, and its page. */
export async function serveDocumentation(app: ApiServer): Promise<void> {
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { url: '/openapi.json', layout: 'BaseLayout', displayRequestDuration: true, defaultModelsExpandDepth: 0 },
    theme: { title: 'Millrace API' },
  });
}

function security(open: boolean) {
  if (open) return {};
  const securitySchemes = {
    bearer: { type: 'http', scheme: 'bearer' },
    header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    basic: { type: 'http', scheme: 'basic', description: 'Any user; the password is the key.' },
  } as const;
  return { components: { securitySchemes }, security: [{ bearer: [] }, { header: [] }, { basic: [] }] };
}

type Transformed = ReturnType<typeof jsonSchemaTransform>;

/** A body schema that says of itself that it may also come as NDJSON gets the second content type. */
function withNdjson({ schema, url }: Transformed): Transformed {
  const body: unknown = schema?.body;
  if (typeof body !== 'object' || body === null || !('x-ndjson' in body)) return { schema, url };
  const { 'x-ndjson': line, ...json } = body;
  const content = { 'application/json': { schema: json }, 'application/x-ndjson': { schema: line } };
  return { schema: { ...schema, body: { content } }, url };
}

/** Each named schema comes in two forms, as read and as written; those that nothing refers to go. */
function withoutUnused<Document extends object>(document: Document): Document {
  const { components } = document as { components?: { schemas?: Record<string, unknown> } };
  const text = JSON.stringify(document);
  const used = Object.entries(components?.schemas ?? {}).filter(([name]) =>
    text.includes(`"#/components/schemas/${name}"`),
  );
  return { ...document, components: { ...components, schemas: Object.fromEntries(used) } };
}

import { collectionSettings } from '@millrace/shared/tasks/vector/collection';
import { collectionViewSchema, pointViewSchema } from '@millrace/shared/tasks/vector/collection-view';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { leaveBody } from '../plugins/schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

const params = z.object({ name: z.string() });
const collectionSchema = collectionViewSchema.meta({
  id: 'Collection',
  description: 'Points, and the index over them.',
});
const missing = problemResponses('COLLECTION_NOT_FOUND', 'REDIS_UNAVAILABLE');

/** /v1/collections: where points live. Points are written, deleted and searched by tasks. */
export function collectionRoutes(app: ApiServer, deps: ApiDeps): void {
  putRoute(app, deps);
  readRoutes(app, deps);
  app.route({
    method: 'DELETE',
    url: '/v1/collections/:name',
    config: { scope: 'admin' },
    schema: {
      tags: ['collections'],
      operationId: 'dropCollection',
      summary: 'Drop a collection and all its points',
      description: 'There is no way back. Tasks that wait for it fail with COLLECTION_NOT_FOUND.',
      params,
      response: { 200: z.object({ name: z.string(), dropped: z.literal(true) }), ...missing },
    },
    handler: async ({ params: { name } }) => {
      await deps.mill.collections.drop(name);
      return { name, dropped: true as const };
    },
  });
}

function putRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'PUT',
    url: '/v1/collections/:name',
    config: { scope: 'admin' },
    validatorCompiler: leaveBody,
    schema: {
      tags: ['collections'],
      operationId: 'putCollection',
      summary: 'Create a collection',
      description: 'Done again with the same settings it changes nothing; with others it is refused.',
      params,
      body: collectionSettings.meta({ examples: [{ dimensions: 384, metric: 'cosine' }] }),
      response: {
        200: collectionSchema.describe('It was there.'),
        201: collectionSchema.describe('It was created.'),
        ...problemResponses('INVALID_JSON', 'INVALID_REQUEST', 'COLLECTION_DIFFERS', 'BODY_TOO_LARGE'),
        ...problemResponses('UNSUPPORTED_MEDIA_TYPE', 'QUEUE_FULL', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request, reply) => {
      const { created, view } = await mill.collections.put(request.params.name, request.body);
      return reply.code(created ? 201 : 200).send(view);
    },
  });
}

function readRoutes(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/collections',
    schema: {
      tags: ['collections'],
      operationId: 'listCollections',
      summary: 'Every collection, by name',
      response: {
        200: z.object({ collections: z.array(collectionSchema) }),
        ...problemResponses('REDIS_UNAVAILABLE'),
      },
    },
    handler: async () => ({ collections: await mill.collections.list() }),
  });
  app.route({
    method: 'GET',
    url: '/v1/collections/:name',
    schema: {
      tags: ['collections'],
      operationId: 'readCollection',
      summary: 'Describe a collection: its points and version, and the copies that workers have',
      params,
      response: { 200: collectionSchema, ...missing },
    },
    handler: async ({ params: { name } }) => await mill.collections.get(name),
  });
  app.route({
    method: 'GET',
    url: '/v1/collections/:name/points/:id',
    schema: {
      tags: ['collections'],
      operationId: 'readPoint',
      summary: 'Read a point',
      params: params.extend({ id: z.string() }),
      response: {
        200: pointViewSchema.meta({ id: 'Point' }),
        ...problemResponses('COLLECTION_NOT_FOUND', 'POINT_NOT_FOUND', 'COLLECTION_CHANGED', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async ({ params: { name, id } }) => await mill.collections.point(name, id),
  });
}

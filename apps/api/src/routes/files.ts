import multipart from '@fastify/multipart';
import type { FileFacts } from '@millrace/shared/redis/files';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import type { Files } from '../files/files.ts';
import { receiveUpload, uploadFieldsSchema } from '../files/receive-upload.ts';
import { listOf, openAiErrors } from '../openai/answer-errors.ts';
import { leaveBody } from '../plugins/schemas.ts';
import type { ApiServer } from '../server.ts';

const fileSchema = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int(),
    created_at: z.int(),
    expires_at: z.int(),
    filename: z.string(),
    purpose: z.string(),
    status: z.literal('processed'),
    status_details: z.null(),
  })
  .meta({ id: 'File', description: 'A stored file, in OpenAI’s shape; times in seconds since 1970.' });
type File = z.infer<typeof fileSchema>;

const params = z.object({ id: z.string() });
const mostListed = 10_000;
/** Fields beside the file are few and short. */
const limits = { files: 1, fields: 8, fieldSize: 1024, parts: 10 };
const missing = openAiErrors('FILE_NOT_FOUND', 'STORAGE_UNAVAILABLE', 'REDIS_UNAVAILABLE');

/** /v1/files: what runs read and write, in OpenAI's shape. */
export async function fileRoutes(app: ApiServer, deps: ApiDeps): Promise<void> {
  // In a scope of its own: only an upload comes as multipart, past the limit of bodies.
  await app.register(async (scope: ApiServer) => {
    await scope.register(multipart, {
      // Files.receive has the limit, and an error for it.
      limits: { ...limits, fileSize: Number.POSITIVE_INFINITY },
      throwFileSizeLimit: false,
    });
    uploadRoute(scope, deps);
  });
  readRoutes(app, deps);
  contentRoute(app, deps);
  app.route({
    method: 'DELETE',
    url: '/v1/files/:id',
    config: { scope: 'enqueue' },
    schema: {
      tags: ['openai'],
      operationId: 'deleteFile',
      summary: 'Delete a file',
      description: 'A file that a run reads stays until the run has ended.',
      params,
      response: {
        200: z.object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) }),
        ...missing,
        ...openAiErrors('FILE_IN_USE'),
      },
    },
    handler: async ({ params: { id } }) => {
      await deps.files.delete(id);
      return { id, object: 'file' as const, deleted: true as const };
    },
  });
}

function uploadRoute(app: ApiServer, { files }: ApiDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/files',
    config: { scope: 'enqueue' },
    validatorCompiler: leaveBody,
    schema: {
      tags: ['openai'],
      operationId: 'uploadFile',
      summary: 'Upload a file',
      description:
        'It is streamed to where files are kept, and is there when all of it has come. FILE_LIMIT bounds it.',
      consumes: ['multipart/form-data'],
      body: uploadFieldsSchema.extend({ file: z.unknown().meta({ type: 'string', format: 'binary' }) }),
      response: {
        200: fileSchema,
        ...openAiErrors('INVALID_REQUEST', 'UPLOAD_INCOMPLETE', 'FILE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'),
        ...openAiErrors('STORAGE_FULL', 'STORAGE_UNAVAILABLE', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request) => fileOf(await receiveUpload(request, files)),
  });
}

function readRoutes(app: ApiServer, { files }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/files',
    schema: {
      tags: ['openai'],
      operationId: 'listFiles',
      summary: 'List files',
      querystring: z.strictObject({
        after: z.string().optional().meta({ description: 'The id of the last file of the page before.' }),
        limit: z.coerce.number().int().min(1).max(mostListed).default(100),
        order: z.enum(['asc', 'desc']).default('desc').meta({ description: 'By creation.' }),
        purpose: z.string().optional(),
      }),
      response: {
        200: z.object({
          object: z.literal('list'),
          data: z.array(fileSchema),
          first_id: z.string().nullable(),
          last_id: z.string().nullable(),
          has_more: z.boolean(),
        }),
        ...openAiErrors('INVALID_REQUEST', 'FILE_NOT_FOUND', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async ({ query: { after, limit, order, purpose } }) => {
      const page = { after, newestFirst: order === 'desc', purpose };
      const found = await files.list({ ...page, count: limit + 1 });
      return listOf(found.slice(0, limit).map(fileOf), found.length > limit);
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/files/:id',
    schema: {
      tags: ['openai'],
      operationId: 'readFile',
      summary: 'Describe a file',
      params,
      response: { 200: fileSchema, ...openAiErrors('FILE_NOT_FOUND', 'REDIS_UNAVAILABLE') },
    },
    handler: async ({ params: { id } }) => fileOf(await files.get(id)),
  });
}

function contentRoute(app: ApiServer, { files }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/files/:id/content',
    schema: {
      tags: ['openai'],
      operationId: 'readFileContent',
      summary: 'Read the bytes of a file',
      params,
      response: {
        200: {
          description: 'The bytes as they were uploaded, or as a run wrote them.',
          content: { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } },
        },
        ...missing,
      },
    },
    handler: async ({ params: { id } }, reply) => await sendContent(files, id, reply),
  });
}

async function sendContent(files: Files, id: string, reply: FastifyReply): Promise<FastifyReply> {
  const { facts, bytes } = await files.content(id);
  // A store that breaks off in the middle breaks the answer off, which the length tells.
  bytes.once('error', (error) => {
    reply.log.warn({ event: 'file.broken', file: id, error: error.message }, 'a file could not be read to its end');
  });
  return reply
    .header('content-length', facts.bytes)
    .header('content-disposition', 'attachment')
    .type('application/octet-stream')
    .send(bytes);
}

function fileOf({ id, bytes, createdAt, expiresAt, filename, purpose }: FileFacts): File {
  return {
    id,
    object: 'file',
    bytes,
    created_at: Math.floor(createdAt / 1000),
    expires_at: Math.floor(expiresAt / 1000),
    filename,
    purpose,
    status: 'processed',
    status_details: null,
  };
}

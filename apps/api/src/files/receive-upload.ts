import '@fastify/multipart';
import { MillraceError } from '@millrace/shared/errors';
import type { FileFacts } from '@millrace/shared/redis/files';
import { problemsOf } from '@millrace/shared/tasks/problems';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { lifetimeSchema } from '../openai/lifetime.ts';
import type { Files, ReceivedFile } from './files.ts';

/** What a file may be for, in OpenAI's words; `batch` is the input of a run. */
const purposes = ['batch', 'user_data', 'assistants', 'fine-tune', 'vision', 'evals'] as const;

/** The fields that come with a file. */
export const uploadFieldsSchema = z.strictObject({
  purpose: z.enum(purposes),
  expires_after: lifetimeSchema.optional(),
});

/** Characters of a file's name that are kept. */
const longestName = 255;
const tornCodes = new Set(['FST_MP_PREMATURE_CLOSE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

interface Upload {
  received: ReceivedFile | undefined;
  filename: string;
  readonly fields: Record<string, unknown>;
}

/**
 * Takes a file out of a multipart body as it comes, and keeps it when all of the body has come and is right.
 * @throws MillraceError UPLOAD_INCOMPLETE, INVALID_REQUEST, FILE_TOO_LARGE, STORAGE_FULL, STORAGE_UNAVAILABLE,
 * REDIS_UNAVAILABLE; nothing is kept then.
 */
export async function receiveUpload(request: FastifyRequest, files: Files): Promise<FileFacts> {
  const upload: Upload = { received: undefined, filename: '', fields: {} };
  try {
    await readParts(request, files, upload);
    const { purpose, expires_after: lifetime } = checkFields(upload);
    if (upload.received === undefined) throw invalid('file', 'nothing', 'the file to upload');
    const ttlMs = lifetime === undefined ? undefined : lifetime.seconds * 1000;
    return await files.keep(upload.received, { filename: upload.filename, purpose, ttlMs });
  } catch (error) {
    if (upload.received !== undefined) await files.discard(upload.received).catch(() => {});
    throw errorOfUpload(error);
  } finally {
    // What is left of a body that was refused is read and forgotten, or the client could not read the answer.
    request.raw.resume();
  }
}

async function readParts(request: FastifyRequest, files: Files, upload: Upload): Promise<void> {
  for await (const part of request.parts()) {
    if (part.type === 'field') {
      upload.fields[part.fieldname] = part.value;
    } else {
      if (part.fieldname !== 'file' || upload.received !== undefined) {
        throw invalid(part.fieldname, 'a file', 'one file, in the field `file`');
      }
      upload.filename = part.filename.slice(0, longestName);
      upload.received = await files.receive(part.file);
    }
  }
}

/** A multipart body has no objects: their fields come as `expires_after[seconds]`. */
function checkFields({ fields }: Upload): z.infer<typeof uploadFieldsSchema> {
  const { 'expires_after[anchor]': anchor, 'expires_after[seconds]': seconds, ...others } = fields;
  const hasLifetime = anchor !== undefined || seconds !== undefined;
  const given = hasLifetime ? { ...others, expires_after: { anchor, seconds: Number(seconds) } } : others;
  const parsed = uploadFieldsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error.issues, given);
  const [first] = problems;
  const detail = first ? `${first.path}: got ${first.got}, expected ${first.expected}.` : 'The upload is not valid.';
  throw new MillraceError('INVALID_REQUEST', detail, { problems });
}

function errorOfUpload(error: unknown): unknown {
  if (error instanceof MillraceError || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  const isTorn = tornCodes.has(code) || /unexpected end|terminated early|aborted/i.test(error.message);
  if (isTorn)
    return new MillraceError('UPLOAD_INCOMPLETE', `The upload broke off: ${error.message}.`, { cause: error });
  if (code === 'FST_INVALID_MULTIPART_CONTENT_TYPE' || /boundary not found/i.test(error.message)) {
    const detail = 'A file comes as multipart/form-data with a boundary.';
    return new MillraceError('UNSUPPORTED_MEDIA_TYPE', detail, { cause: error });
  }
  return error;
}

function invalid(path: string, got: string, expected: string): MillraceError {
  const problem = { path, got, expected, remedy: `Send ${expected}.` };
  return new MillraceError('INVALID_REQUEST', `${path}: got ${got}, expected ${expected}.`, { problems: [problem] });
}

import { type ErrorCode, errorTable, type MillraceError } from '@millrace/shared/errors';
import { z } from 'zod';

/** An error as OpenAI's API answers it. */
export const openAiErrorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string().meta({ description: 'The kind: invalid_request_error, server_error and so on.' }),
      param: z.string().nullable().meta({ description: 'The field that was wrong.' }),
      code: z.string().nullable().meta({ description: "OpenAI's code, else ours of docs/errors.md in small letters." }),
    }),
  })
  .meta({ id: 'OpenAiError', description: "An error in OpenAI's form." });
export type OpenAiError = z.infer<typeof openAiErrorSchema>;

/** Where OpenAI has a status or a code of its own for what ours says otherwise. */
const translated: Partial<Record<ErrorCode, { status?: number; type?: string; code: string }>> = {
  UNAUTHORIZED: { code: 'invalid_api_key' },
  FORBIDDEN: { code: 'insufficient_permissions' },
  MODEL_NOT_AVAILABLE: { status: 404, code: 'model_not_found' },
  RATE_LIMITED: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  QUEUE_FULL: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
};

/** The HTTP status of an error on OpenAI's routes: what is wrong with a request is a 400 there. */
export function openAiStatus(code: ErrorCode): number {
  const { status } = errorTable[code];
  return translated[code]?.status ?? (status === 422 ? 400 : status);
}

/** An error in OpenAI's form. */
export function openAiErrorOf({ code, message, problems }: MillraceError): OpenAiError {
  const status = openAiStatus(code);
  const known = translated[code];
  const [problem] = problems;
  const param = problem?.path.replace(/^(body|query|params)\./, '') || null;
  const type = known?.type ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
  return { error: { message, type, param, code: known?.code ?? code.toLowerCase() } };
}

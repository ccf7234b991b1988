import { MillraceError } from '@millrace/shared/errors';

/** Why a model that is there does not load: the files that were being read, and what was wrong with them. */
export function loadFailure(model: string, files: string, error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new MillraceError('MODEL_NOT_AVAILABLE', `Model ${model} does not load: ${files}: ${reason}`, {
    cause: error,
  });
}

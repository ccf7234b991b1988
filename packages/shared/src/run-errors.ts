/** The errors of files, runs and the OpenAI routes; a part of the table in errors.ts, which says what each field means. */
export const runErrors = {
  FILE_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'No such file',
    remedy: 'GET /v1/files lists those that exist; a file goes when its time is over (FILES_TTL).',
  },
  FILE_IN_USE: {
    status: 409,
    retryable: false,
    title: 'The file is in use',
    remedy: 'Wait for the runs that read it, or cancel them: POST /v1/batches/{id}/cancel.',
  },
  FILE_TOO_LARGE: {
    status: 413,
    retryable: false,
    title: 'The file is too large',
    remedy: 'Upload it as several files, or raise FILE_LIMIT.',
  },
  UPLOAD_INCOMPLETE: {
    status: 400,
    retryable: false,
    title: 'The upload broke off',
    remedy: 'Nothing of it was kept: upload the file again.',
  },
  STORAGE_FULL: {
    status: 507,
    retryable: true,
    title: 'No room for files',
    remedy:
      'Free room where FILES_DIR or FILES_S3 points; runs go on by themselves then, an upload has to be sent again.',
  },
  STORAGE_UNAVAILABLE: {
    status: 503,
    retryable: true,
    title: 'The storage of files does not answer',
    remedy: 'Check FILES_DIR, or FILES_S3 and its keys; runs go on by themselves when it is back.',
  },
  RUN_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'No such run',
    remedy: 'GET /v1/batches lists those that exist; a run is forgotten some time after its end (FILES_TTL).',
  },
  RUN_ENDED: {
    status: 409,
    retryable: false,
    title: 'The run has ended, or is about to',
    remedy: 'GET /v1/batches/{id} says how.',
  },
  NO_WORKER: {
    status: 503,
    retryable: true,
    title: 'No worker lives that could do it',
    remedy: 'Start a worker of the family inference; GET /v1/workers lists those that live.',
  },
} as const;

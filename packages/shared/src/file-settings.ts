import { z } from 'zod';
import { integerSetting, type Setting } from './setting.ts';

const day = 86_400_000;

const s3Url = z.string().regex(/^https?:\/\/[^\s/@?#]+\/[^\s/?#]+(\/[^\s?#]*)?$/, {
  error: 'a URL of endpoint and bucket such as https://s3.eu-central-1.amazonaws.com/bucket, with a folder if you like',
});

/** The settings of files and runs; a part of the table in settings.ts. */
export const fileSettings = {
  FILES_DIR: {
    schema: z.string().min(1),
    default: undefined,
    meaning:
      'Where uploaded files and the outputs of runs are kept; left out, `files` below MILLRACE_HOME. Every API of a mill must see the same folder. Not used with FILES_S3.',
    form: 'a folder',
  },
  FILES_S3: {
    schema: s3Url,
    default: undefined,
    meaning:
      'Keeps files in a bucket of S3, or of what speaks its protocol, instead of a folder: endpoint, bucket and, if you like, the beginning of all names there.',
    form: 'http(s)://endpoint/bucket[/folder]',
  },
  FILES_S3_KEY_ID: {
    schema: z.string().min(1),
    default: undefined,
    meaning: 'The access key of FILES_S3.',
    form: 'an access key id',
  },
  FILES_S3_SECRET: {
    schema: z.string().min(1),
    default: undefined,
    meaning: 'The secret of that key.',
    form: 'a secret access key',
  },
  FILES_S3_REGION: {
    schema: z.string().min(1),
    default: 'us-east-1',
    meaning: 'The region of FILES_S3; what speaks its protocol takes the default as a rule.',
    form: 'a region',
  },
  FILES_TTL: integerSetting(
    { default: 30 * day, min: 60_000, max: 365 * day, unit: 'ms' },
    'How long a file is kept after it was made, an upload as well as an output, unless it says otherwise itself; and how long a run is remembered after its end. What an open run needs stays.',
  ),
  FILE_LIMIT: integerSetting(
    { default: 512 * 2 ** 20, min: 2 ** 10, max: 2 ** 36, unit: 'bytes' },
    'The largest file that can be uploaded. Files are streamed: it costs no memory.',
  ),
  RUN_LINES: integerSetting(
    { default: 100_000, min: 1, max: 10_000_000, unit: 'lines' },
    'The most lines of one run. While one is validated the API holds about 100 bytes for each.',
  ),
  RUN_WINDOW: integerSetting(
    { default: 2048, min: 1, max: 1_000_000, unit: 'items' },
    'How many items (texts, or tasks) a run has under way at once, and so what it may take of Redis. Runs share the workers by it: each has its own. It has to be well above WINDOW_ITEMS of all lanes together, or they would wait for more.',
  ),
} as const satisfies Record<string, Setting>;

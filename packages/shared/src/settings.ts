import { z } from 'zod';
import { cliSettings } from './cli-settings.ts';
import { fileSettings } from './file-settings.ts';
import { httpSettings } from './http-settings.ts';
import type { HighWater } from './redis/memory.ts';
import { redisUrlProblem } from './redis/redis-url.ts';
import { choiceSetting, integerSetting, listSetting, optionalIntegerSetting, type Setting } from './setting.ts';
import type { TaskLimits } from './tasks/define-task-type.ts';
import { modelName, type RemoteModels } from './tasks/inference/model-name.ts';
import { families } from './tasks/task.ts';
import { webhookSettings } from './webhook-settings.ts';

const redisUrl = z.string().superRefine((text, context) => {
  const expected = redisUrlProblem(text);
  if (expected !== undefined) context.addIssue({ code: 'custom', message: expected });
});

/** A file or name of TLS; none by default. */
function tlsSetting(meaning: string, form: string): Setting<z.ZodString> {
  return { schema: z.string(), default: undefined, meaning, form };
}

const prefix = z.string().regex(/^[\w.-]*\{[\w.-]+\}[\w.-]*$/, {
  error: 'a name with one hash tag, such as {millrace}, of letters, digits, . _ -',
});

const apiKeyForm = /^([\w.-]+):(read|enqueue|admin):([0-9a-f]{64})(:\d{1,9})?$/;
const apiKeys = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  )
  .refine((entries) => entries.every((entry) => apiKeyForm.test(entry)), {
    error:
      'entries of name:scope:sha256 with commas between; scope is read, enqueue or admin, sha256 the hash of the key in hex; a fourth part may be its requests a minute',
  })
  .transform((entries) =>
    entries.map((entry) => {
      const [name = '', scope = 'read', hash = '', limit] = entry.split(':');
      return { name, scope: scope as ApiScope, hash, ...(limit === undefined ? {} : { limit: Number(limit) }) };
    }),
  );
export type ApiScope = 'read' | 'enqueue' | 'admin';

const taskLimits = z
  .string()
  .regex(/^([a-z]+\.[\w-]+=\d+\/\d+(,|$))*$/, {
    error: 'entries such as inference.embed=512/2097152 (items/bytes), with commas between',
  })
  .transform((text) => {
    const entries = text.split(',').filter((entry) => entry !== '');
    return new Map(
      entries.map((entry): [string, TaskLimits] => {
        const [type = '', items = '0', bytes = '0'] = entry.split(/[=/]/);
        return [type, { items: Number(items), bytes: Number(bytes) }];
      }),
    );
  });

const highWater = z
  .string()
  .regex(/^(100|[1-9]\d?)%$|^[1-9]\d*$/, { error: 'a share of maxmemory such as 80%, or bytes such as 1500000000' })
  .transform(
    (text): HighWater => (text.endsWith('%') ? { share: Number(text.slice(0, -1)) / 100 } : { bytes: Number(text) }),
  );

const remoteModels = z
  .string()
  .transform((text): RemoteModels => {
    if (text === '' || text === 'false') return [];
    return text === 'true' ? ['*'] : text.split(',').map((entry) => entry.trim());
  })
  .refine(
    (entries) => entries.every((entry) => entry === '*' || modelName.safeParse(entry.replace(/\/\*$/, '/any')).success),
    {
      error: 'false, true, or names such as org/name and org/* with commas between',
    },
  );

/** Every environment variable that Millrace reads; .env.example is made of this table. */
export const settings = {
  REDIS_URL: {
    schema: redisUrl,
    default: 'redis://127.0.0.1:6379',
    meaning:
      'The Redis that holds everything; docs/redis.md. Left out, `npm start` finds or starts a private one. TLS is rediss, Sentinels are redis+sentinel://host:26379,host:26379/master, nodes of a cluster redis+cluster://host:6379,host:6379.',
    form: 'redis[s]://, redis[s]+sentinel:// or redis[s]+cluster:// URL',
  },
  REDIS_TLS_CA: tlsSetting("The authorities to trust in place of the system's, with a rediss address.", 'a PEM file'),
  REDIS_TLS_CERT: tlsSetting('Our certificate, for a Redis that asks for one.', 'a PEM file'),
  REDIS_TLS_KEY: tlsSetting('The key of that certificate.', 'a PEM file'),
  REDIS_TLS_SERVERNAME: tlsSetting("The name in the server's certificate, where it is not the host's.", 'a host name'),
  MILLRACE_PREFIX: {
    schema: prefix,
    default: '{millrace}',
    meaning:
      'The beginning of every key in Redis. Several mills share a Redis by different prefixes; the braces keep one mill on one node of a cluster.',
    form: 'a name with one {hash tag}',
  },
  MILLRACE_HOME: {
    schema: z.string().min(1),
    default: '.millrace',
    meaning: 'Where `npm start` keeps data and logs.',
    form: 'a folder',
  },
  LOG_LEVEL: choiceSetting(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    { default: 'info' },
    'The least important lines that are logged.',
  ),
  TASK_LIMITS: {
    schema: taskLimits,
    default: '',
    meaning:
      'Other limits of a task than its type has: most items and most bytes of input. API and workers must agree.',
    form: 'type=items/bytes, with commas between',
  },
  MILLRACE_PLUGINS: {
    schema: z.string().transform((text) =>
      text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    ),
    default: '',
    meaning: 'Modules that export task types and processors of your own; API and workers must agree.',
    form: 'paths (from the working folder) or package names, with commas between',
  },
  PORT: integerSetting({ default: 3000, min: 1, max: 65_535, unit: 'a port' }, 'The port of the API.'),
  HOST: {
    schema: z.string().min(1),
    default: '127.0.0.1',
    meaning: 'The address that the API listens on. Beyond loopback every request needs a key.',
    form: 'an address or host name',
  },
  MILLRACE_API_KEYS: {
    schema: apiKeys,
    default: undefined,
    meaning:
      'The keys that may use the API, as hashes. Make one: printf %s "$KEY" | sha256sum. Left out, a loopback HOST is open, any other gets an admin key that is printed once.',
    form: 'name:scope:sha256 or name:scope:sha256:limit, with commas between; scope read | enqueue | admin; limit in requests a minute',
  },
  ...httpSettings,
  BODY_LIMIT: integerSetting(
    { default: 16 * 2 ** 20, min: 2 ** 10, max: 2 ** 30, unit: 'bytes' },
    'The largest request body, and the longest line of NDJSON.',
  ),
  MAX_WAITING: integerSetting(
    { default: 1_000_000, min: 1, max: 100_000_000, unit: 'tasks of a family' },
    'How many tasks may wait in a queue; above it enqueue is refused with QUEUE_FULL. What was accepted is not touched.',
  ),
  REDIS_HIGH_WATER: {
    schema: highWater,
    default: '80%',
    meaning:
      'How full Redis may get: enqueue is refused with QUEUE_FULL when what it holds and what accepted tasks will still write reach that. A share needs a maxmemory in Redis; without one it is no bound.',
    form: 'a share of maxmemory such as 80%, or bytes',
  },
  DRAIN_TARGET: integerSetting(
    { default: 60_000, min: 1000, max: 86_400_000, unit: 'ms' },
    'How soon a queue should be empty: wantedWorkers of /v1/queues and millrace_wanted_workers say how many workers that takes. Shorter wants more workers sooner; below the time that a worker takes to start (about 5 s) it only overshoots.',
  ),
  ...fileSettings,
  ...webhookSettings,
  AGING_BOUND: integerSetting(
    { default: 300_000, min: 1000, max: 86_400_000, unit: 'ms' },
    'A task that has waited so long goes ahead of all that have not, whatever their priority. API and workers must agree.',
  ),
  SHUTDOWN_GRACE: integerSetting(
    { default: 10_000, min: 0, max: 600_000, unit: 'ms' },
    'How long a stopping process goes on with what it has begun; then it is returned to the queue.',
  ),
  FAMILIES: listSetting(families, 'The families that a worker works for.'),
  MODELS_DIR: {
    schema: z.string().min(1),
    default: undefined,
    meaning: 'The folder of the models; left out, `models` of the repository.',
    form: 'a folder',
  },
  MODEL_MEMORY: integerSetting(
    { default: 2 ** 30, min: 2 ** 27, max: 2 ** 40, unit: 'bytes' },
    'What the models that an inference process has loaded may take together, by estimate: the one that was not used for longest goes. It has to be well below LANE_MEMORY.',
  ),
  ALLOW_REMOTE_MODELS: {
    schema: remoteModels,
    default: 'false',
    meaning:
      'Whether a model that is not below MODELS_DIR may be brought there from MODEL_HUB: no, any, or some. Workers of a family must agree.',
    form: 'false, true, or names such as org/name and org/* with commas between',
  },
  MODEL_HUB: {
    schema: z.string().regex(/^https?:\/\/\S+$/, { error: 'a URL such as https://huggingface.co' }),
    default: 'https://huggingface.co',
    meaning: 'Where models come from when ALLOW_REMOTE_MODELS lets them: Hugging Face, or a mirror of it.',
    form: 'http:// or https:// URL',
  },
  INFERENCE_LANES: optionalIntegerSetting(
    { min: 1, max: 64, unit: 'processes' },
    "Compute processes for inference; left out, one a core (a container's CPU limit counts).",
  ),
  INFERENCE_THREADS: integerSetting(
    { default: 1, min: 1, max: 64, unit: 'threads' },
    'ONNX threads of each inference process; on a CPU one is best.',
  ),
  INFERENCE_BATCH_TOKENS: integerSetting(
    { default: 512, min: 16, max: 1_048_576, unit: 'padded tokens' },
    'The most that one forward pass of a model computes; about 500 is best on a CPU, a GPU wants far more.',
  ),
  INFERENCE_CALL_TOKENS: integerSetting(
    { default: 1024, min: 16, max: 1_048_576, unit: 'padded tokens' },
    'The most of one call to a compute process, which cuts it into forward passes of like lengths. Larger calls cost the worker less; urgent work waits for one or two of them.',
  ),
  TEXT_LANES: integerSetting({ default: 1, min: 1, max: 64, unit: 'processes' }, 'Compute processes for text.'),
  LANE_MEMORY: integerSetting(
    { default: 2 * 2 ** 30, min: 0, max: 2 ** 40, unit: 'bytes' },
    'A compute process for inference or text whose memory is above that is replaced as soon as it has nothing to compute; no task notices. It has to be well above MODEL_MEMORY. 0: never.',
  ),
  LANE_NICE: integerSetting(
    { default: 5, min: 0, max: 19, unit: 'the nice value of Unix' },
    'How far compute processes stand behind all others when cores are scarce: Redis, the API and the worker itself answer at once while lanes take what is left. 0: they compete with them.',
  ),
  SAME_TEXT_MEMORY: integerSetting(
    { default: 32 * 2 ** 20, min: 0, max: 2 ** 40, unit: 'bytes' },
    'Memory in which a worker keeps what it has computed lately, so that the same text is not computed again; 0: none. Texts that are the same while they are under way are computed once in any case.',
  ),
  RESULT_CACHE: integerSetting(
    { default: 0, min: 0, max: 2 ** 43, unit: 'bytes' },
    'The same in Redis, for all workers with the same model on the same kind of CPU: the most memory of Redis that it may take; 0: off. It gives way when Redis fills: above 70 % of REDIS_HIGH_WATER nothing is added and the oldest goes. Workers should agree.',
  ),
  RESULT_CACHE_TTL: integerSetting(
    { default: 86_400_000, min: 1000, max: 2_592_000_000, unit: 'ms' },
    'How long RESULT_CACHE keeps a value.',
  ),
  VECTOR_MEMORY: integerSetting(
    { default: 4 * 2 ** 30, min: 2 ** 20, max: 2 ** 42, unit: 'bytes' },
    'What the collections in the memory of a worker may take together; 100,000 points of 384 numbers take about 0.4 GB. Those unused for the longest time are let go, and loaded again when they are needed; a collection that is larger is refused.',
  ),
  SNAPSHOTS_DIR: {
    schema: z.string().min(1),
    default: undefined,
    meaning:
      'Where workers of a machine keep snapshots of collections, so that the next one starts in seconds; left out, `snapshots` below MILLRACE_HOME. Any of it may be deleted.',
    form: 'a folder',
  },
  BATCH_ITEMS: integerSetting({ default: 64, min: 1, max: 4096, unit: 'items' }, 'The most items of one call.'),
  BATCH_WAIT: integerSetting(
    { default: 20, min: 0, max: 10_000, unit: 'ms' },
    'How long an item waits for company while a lane computes; an idle lane takes what is there at once.',
  ),
  WINDOW_ITEMS: integerSetting(
    { default: 128, min: 1, max: 65_536, unit: 'items per lane' },
    'How much a worker pulls ahead: the window in which like lengths are put together. More hoards work that other workers could do.',
  ),
  WINDOW_TOKENS: integerSetting(
    { default: 16_384, min: 16, max: 16_777_216, unit: 'tokens per lane' },
    'The same bound in tokens, for inference.',
  ),
  ...cliSettings,
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

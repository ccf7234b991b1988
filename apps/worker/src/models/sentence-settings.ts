import type { Purpose } from '@millrace/shared/tasks/inference/embed';
import { z } from 'zod';
import type { JsonFolder } from './json-folder.ts';

/** What the files of sentence-transformers say; undefined where they say nothing. */
interface SentenceSettings {
  readonly pooling: 'mean' | 'cls' | 'max' | 'last' | undefined;
  readonly normalize: boolean | undefined;
  readonly tokenLimit: number | undefined;
  readonly prefixes: Readonly<Record<Purpose, string>>;
}

const modulesSchema = z.array(z.looseObject({ type: z.string(), path: z.string() }));
type Modules = z.infer<typeof modulesSchema>;

const limitSchema = z.looseObject({ max_seq_length: z.int().positive().nullish() });

/** sentence-transformers names the file after the kind of network that it was first made for. */
const limitFiles = ['', 'roberta', 'distilbert', 'camembert', 'albert', 'xlm-roberta', 'xlnet'].map((kind) =>
  kind === '' ? 'sentence_bert_config.json' : `sentence_${kind}_config.json`,
);

const promptsSchema = z.looseObject({ prompts: z.record(z.string(), z.string()).nullish() });

/** Each way of pooling has a flag of its own. */
const poolingSchema = z.looseObject({ include_prompt: z.boolean().optional() });
const poolingFlags = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_lasttoken: 'last',
} as const;

const ownFileHelps = 'name a pooling in millrace.json of the folder if the network does without';

/**
 * Reads modules.json, the pooling's config.json, sentence_bert_config.json and config_sentence_transformers.json, each if it is there.
 * `poolingWanted`: false when the pooling is known from elsewhere, and what they say of it need not be understood.
 * @throws MillraceError MODEL_NOT_AVAILABLE when they want a module or a pooling that Millrace does not have.
 */
export async function readSentenceSettings(folder: JsonFolder, poolingWanted: boolean): Promise<SentenceSettings> {
  const modules = await folder.read('modules.json', modulesSchema);
  const prefixes = await readPrefixes(folder);
  return {
    pooling: poolingWanted ? await readPooling(folder, modules, prefixes) : undefined,
    normalize: modules?.some(({ type }) => isModule(type, 'Normalize')),
    tokenLimit: await readLimit(folder),
    prefixes,
  };
}

async function readPooling(
  folder: JsonFolder,
  modules: Modules | undefined,
  prefixes: Readonly<Record<Purpose, string>>,
): Promise<SentenceSettings['pooling']> {
  const stranger = modules?.find(
    ({ type }) => !['Transformer', 'Pooling', 'Normalize'].some((name) => isModule(type, name)),
  );
  if (stranger !== undefined) folder.refuse('modules.json', `wants ${stranger.type}: ${ownFileHelps}`);
  const subfolder = modules?.find(({ type }) => isModule(type, 'Pooling'))?.path ?? '1_Pooling';
  const file = `${subfolder}/config.json`;
  const config = await folder.read(file, poolingSchema);
  if (config === undefined) return undefined;
  const wanted = Object.keys(config).filter((key) => key.startsWith('pooling_mode_') && config[key] === true);
  const [flag = ''] = wanted;
  const pooling = Object.entries(poolingFlags).find(([name]) => name === flag)?.[1];
  if (wanted.length !== 1 || pooling === undefined)
    folder.refuse(file, `wants ${wanted.join(' and ') || 'no pooling'}: ${ownFileHelps}`);
  if (config.include_prompt === false && prefixes.query + prefixes.document !== '')
    folder.refuse(file, `wants prompts left out of the pooling (include_prompt): ${ownFileHelps}`);
  return pooling;
}

async function readLimit(folder: JsonFolder): Promise<number | undefined> {
  for (const file of limitFiles) {
    const config = await folder.read(file, limitSchema);
    if (config !== undefined) return config.max_seq_length ?? undefined;
  }
  return undefined;
}

/** Models call the prompt of a document by either name. */
async function readPrefixes(folder: JsonFolder): Promise<Record<Purpose, string>> {
  const config = await folder.read('config_sentence_transformers.json', promptsSchema);
  const prompts = config?.prompts ?? {};
  return { query: prompts['query'] ?? '', document: prompts['document'] ?? prompts['passage'] ?? '' };
}

/** The name of a module's class is the last word of its path. */
function isModule(type: string, name: string): boolean {
  return type.split('.').at(-1) === name;
}

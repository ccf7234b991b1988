import { env, LogLevel, pipeline as openPipeline, type PreTrainedTokenizer } from '@huggingface/transformers';
import { MillraceError } from '@millrace/shared/errors';
import type { PipelineInput, PipelineName, PipelineOptions } from '@millrace/shared/tasks/inference/pipeline-variants';
import type { ModelFolder } from '../../models/model-folder.ts';
import { fingerprintOf } from '../fingerprint.ts';
import type { PipelineReading, TextPipeline } from '../runtime.ts';
import { loadFailure } from './load-failure.ts';
import { hypothesesOf, PipelineReader } from './pipeline-reader.ts';
import { plainOutput } from './plain-output.ts';
import { runtimeName, sessionOptions } from './transformers-network.ts';

/** A pipeline of transformers.js as far as it is used here: the library types each by itself. */
interface OpenPipeline {
  (...inputsAndOptions: readonly unknown[]): Promise<unknown>;
  readonly tokenizer: PreTrainedTokenizer | undefined;
  readonly model: { readonly config: ModelConfig };
  dispose(): Promise<unknown>;
}

interface ModelConfig {
  readonly architectures?: readonly string[];
  readonly is_encoder_decoder?: boolean;
  readonly prefix?: string;
  readonly task_specific_params?: Readonly<Record<string, { readonly prefix?: string } | undefined>>;
}

/** They read by an encoder, behind a prefix that their config may have, and write by a decoder. */
const writing: readonly PipelineName[] = ['summarization', 'translation', 'text2text-generation'];

/** What networks are for, by the end of their architecture's name. Another one may do for any pipeline. */
const heads: readonly (readonly [RegExp, readonly PipelineName[]])[] = [
  [/ForSequenceClassification$/, ['text-classification', 'zero-shot-classification']],
  [/ForTokenClassification$/, ['token-classification']],
  [/ForQuestionAnswering$/, ['question-answering']],
  [/ForMaskedLM$/, ['fill-mask', 'feature-extraction']],
  [/(ForCausalLM|LMHeadModel)$/, ['text-generation', 'feature-extraction']],
  [/(ForConditionalGeneration|MTModel)$/, writing],
  [/Model$/, ['feature-extraction']],
];

/**
 * Several inputs share a pass in these alone. What writes does not: in a batch transformers.js goes on with a text that has
 * ended until the last one has, and what it adds stays in the output. Zero-shot classification computes pair by pair.
 */
const batching: ReadonlySet<PipelineName> = new Set([
  'text-classification',
  'token-classification',
  'fill-mask',
  'question-answering',
  'feature-extraction',
]);

/** What transformers.js writes unless it is told otherwise, in tokens. */
const defaultNewTokens = 256;

/**
 * Loads a pipeline with the model of a folder.
 * @throws MillraceError INVALID_INPUT when the model is for another pipeline, MODEL_NOT_AVAILABLE when it does not load.
 */
export async function loadPipeline(
  pipeline: PipelineName,
  folder: ModelFolder,
  threads: number,
): Promise<TextPipeline> {
  checkHead(pipeline, folder);
  // The library would print the inputs of a call that fails, which are nobody's business; the error itself is thrown.
  env.logLevel = LogLevel.NONE;
  try {
    const options = { dtype: folder.dtype, session_options: sessionOptions(threads), local_files_only: true };
    const opened = (await openPipeline(pipeline, folder.name, options)) as unknown as OpenPipeline;
    return new TransformersPipeline(opened, { pipeline, folder });
  } catch (error) {
    throw loadFailure(folder.name, pipeline, error);
  }
}

/** The library takes any network for any pipeline, and makes nonsense of its numbers. */
function checkHead(pipeline: PipelineName, { name, config }: ModelFolder): void {
  const { architectures: [architecture = ''] = [], is_encoder_decoder: hasEncoder = false } = config as ModelConfig;
  const fits = heads.find(([head]) => head.test(architecture))?.[1];
  // What sees or hears is named like a translator, and may write text without an encoder.
  if (fits === undefined || fits.includes(pipeline) || (fits === writing && !hasEncoder)) return;
  throw new MillraceError(
    'INVALID_INPUT',
    `Model ${name} is a ${architecture}: it is for ${fits.join(' or ')}, not for ${pipeline}.`,
  );
}

interface Loaded {
  readonly pipeline: PipelineName;
  readonly folder: ModelFolder;
}

class TransformersPipeline implements TextPipeline {
  readonly batches: boolean;
  private readonly open: OpenPipeline;
  private readonly loaded: Loaded;
  private readonly reader: PipelineReader;
  private readonly limit: number;
  /** Part of every value, and longer to make than to tell. */
  private readonly ownFingerprint: string;

  constructor(open: OpenPipeline, loaded: Loaded) {
    const { pipeline, folder } = loaded;
    this.open = open;
    this.loaded = loaded;
    this.batches = folder.batches && batching.has(pipeline);
    this.limit = folder.settings.tokenLimits.pipeline;
    this.ownFingerprint = fingerprintOf(folder, runtimeName, { pipeline, tokenLimit: this.limit });
    // Where the tokenizer's own limit is missing or too large, the network would fail beyond its positions.
    Object.defineProperty(this.tokenizer, 'model_max_length', { value: this.limit });
    this.reader = new PipelineReader({
      pipeline,
      tokenizer: this.tokenizer,
      limit: this.limit,
      prefix: prefixOf(pipeline, open.model.config),
    });
  }

  fingerprint(): string {
    return this.ownFingerprint;
  }

  read(input: PipelineInput, options: PipelineOptions): PipelineReading {
    return this.reader.read(input, options);
  }

  async run(inputs: readonly PipelineInput[], options: PipelineOptions): Promise<readonly unknown[]> {
    const canShare = this.batches && !this.needsLast(options);
    if (canShare || inputs.length === 1) return await this.runTogether(inputs, options);
    const outputs: unknown[] = [];
    for (const input of inputs) outputs.push(...(await this.runTogether([input], options)));
    return outputs;
  }

  async dispose(): Promise<void> {
    await this.open.dispose();
  }

  private get tokenizer(): PreTrainedTokenizer {
    const { tokenizer } = this.open;
    if (tokenizer === undefined) throw new Error('it has no tokenizer_config.json and tokenizer.json');
    return tokenizer;
  }

  /** The inputs in one call of the library, and what it gives for each. */
  private async runTogether(inputs: readonly PipelineInput[], options: PipelineOptions): Promise<readonly unknown[]> {
    switch (this.loaded.pipeline) {
      case 'question-answering': {
        const pairs = inputs as readonly { readonly question: string; readonly context: string }[];
        const [questions, contexts] = [pairs.map(({ question }) => question), pairs.map(({ context }) => context)];
        return plainList(await this.open(questions, contexts, options));
      }
      case 'zero-shot-classification':
        return await this.compare(inputs as readonly string[], options);
      case 'feature-extraction':
        return this.ownVectors(inputs as readonly string[], await this.open(inputs, options));
      case 'text-generation':
        return plainList(await this.open(inputs, this.withinRoom(inputs, options)));
      default:
        return plainList(await this.open(inputs, options));
    }
  }

  private async compare(texts: readonly string[], options: PipelineOptions): Promise<readonly unknown[]> {
    const { candidate_labels: labels, ...rest } = options as { readonly candidate_labels: readonly string[] };
    const hypothesis = this.reader.longest(hypothesesOf(options));
    const fitting = texts.map((text) => this.reader.fit(text, hypothesis));
    const outputs = plainList(await this.open(fitting, labels, rest)) as readonly Record<string, unknown>[];
    return outputs.map((output, index) => ({ ...output, sequence: texts[index] }));
  }

  /** A vector per token has rows for the padding too: each text keeps those of its own tokens. */
  private ownVectors(texts: readonly string[], output: unknown): readonly unknown[] {
    const rows = plainList(output) as readonly (readonly unknown[])[];
    if (!rows.some((row) => Array.isArray(row[0]))) return rows;
    const padsLeft = this.tokenizer.padding_side === 'left';
    return rows.map((tokens, index) => {
      const { reads } = this.reader.read(texts[index] ?? '', {});
      return padsLeft ? tokens.slice(-reads) : tokens.slice(0, reads);
    });
  }

  /** Pooling by one token takes a padding's vector where the padding is on that side. */
  private needsLast(options: PipelineOptions): boolean {
    const pooling = 'pooling' in options ? options.pooling : undefined;
    if (pooling === 'cls' || pooling === 'first_token') return this.tokenizer.padding_side === 'left';
    return (pooling === 'last_token' || pooling === 'eos') && this.tokenizer.padding_side === 'right';
  }

  /** What is written has to fit behind the prompt. */
  private withinRoom(inputs: readonly PipelineInput[], options: PipelineOptions): PipelineOptions {
    if (this.limit === Number.POSITIVE_INFINITY) return options;
    const longest = Math.max(...inputs.map((input) => this.reader.read(input, options).tokens));
    const asked = ('max_new_tokens' in options ? options.max_new_tokens : undefined) ?? defaultNewTokens;
    return { ...options, max_new_tokens: Math.min(asked, this.limit - longest) };
  }
}

/** What the library puts in front of each text, as the model's config says. */
function prefixOf(pipeline: PipelineName, { prefix = '', task_specific_params: tasks }: ModelConfig): string {
  if (!writing.includes(pipeline)) return '';
  return `${tasks?.[pipeline]?.prefix ?? ''}${prefix}`;
}

function plainList(output: unknown): readonly unknown[] {
  const plain = plainOutput(output);
  return Array.isArray(plain) ? plain : [plain];
}

import { AutoModelForSequenceClassification } from '@huggingface/transformers';
import { z } from 'zod';
import type { ModelFolder } from '../../models/model-folder.ts';
import { fingerprintOf } from '../fingerprint.ts';
import type { SequenceClassifier, TokenizedPair } from '../runtime.ts';
import { loadFailure } from './load-failure.ts';
import { EncoderNetwork, runtimeName } from './transformers-network.ts';

const configSchema = z.looseObject({
  id2label: z.record(z.string(), z.string()).optional(),
  problem_type: z.string().nullish(),
});

/** Loads a sequence-classification model and computes once, which tells its labels. @throws MillraceError MODEL_NOT_AVAILABLE. */
export async function loadClassifier(folder: ModelFolder, threads: number): Promise<SequenceClassifier> {
  const network = await EncoderNetwork.open(AutoModelForSequenceClassification, folder, threads);
  try {
    const config = configSchema.parse(folder.config);
    const probe = network.tokenizer.typedText('warm', folder.settings.tokenLimits.classify);
    const { dims } = await network.run([probe], ['logits']);
    const count = dims.at(-1) ?? 0;
    const names = config.id2label ?? {};
    const labels = Array.from({ length: count }, (_, index) => names[index] ?? `LABEL_${index}`);
    const multiLabel = config.problem_type === 'multi_label_classification';
    return new TransformersClassifier(network, { labels, multiLabel });
  } catch (error) {
    await network.dispose();
    throw loadFailure(folder.name, `config.json, ${folder.weights.join(', ')}`, error);
  }
}

class TransformersClassifier implements SequenceClassifier {
  readonly model: string;
  readonly batches: boolean;
  readonly labels: readonly string[];
  readonly multiLabel: boolean;
  readonly tokenLimit: number;
  private readonly network: EncoderNetwork;
  private readonly print: string;

  constructor(network: EncoderNetwork, { labels, multiLabel }: Pick<SequenceClassifier, 'labels' | 'multiLabel'>) {
    const { name, batches, settings } = network.folder;
    this.network = network;
    this.model = name;
    this.batches = batches;
    this.labels = labels;
    this.multiLabel = multiLabel;
    this.tokenLimit = settings.tokenLimits.classify;
    this.print = fingerprintOf(network.folder, runtimeName, {
      use: 'classifier',
      tokenLimit: this.tokenLimit,
      batches,
    });
  }

  fingerprint(): string {
    return this.print;
  }

  tokenize(text: string, pair?: string): TokenizedPair {
    const { tokenizer } = this.network;
    return pair === undefined
      ? tokenizer.typedText(text, this.tokenLimit)
      : tokenizer.pair(text, pair, this.tokenLimit);
  }

  async logits(texts: readonly TokenizedPair[]): Promise<Float32Array> {
    if (this.batches || texts.length < 2) return await this.pass(texts);
    const logits = new Float32Array(texts.length * this.labels.length);
    for (const [row, text] of texts.entries()) logits.set(await this.pass([text]), row * this.labels.length);
    return logits;
  }

  async dispose(): Promise<void> {
    await this.network.dispose();
  }

  private async pass(texts: readonly TokenizedPair[]): Promise<Float32Array> {
    const { data } = await this.network.run(texts, ['logits']);
    return data;
  }
}

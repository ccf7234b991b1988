import type { PreTrainedTokenizer } from '@huggingface/transformers';
import type { PipelineInput, PipelineName, PipelineOptions } from '@millrace/shared/tasks/inference/pipeline-variants';
import type { PipelineReading } from '../runtime.ts';

interface ReaderParams {
  readonly pipeline: PipelineName;
  readonly tokenizer: PreTrainedTokenizer;
  /** Tokens that the model reads; Infinity when nothing bounds them. */
  readonly limit: number;
  /** What the pipeline puts in front of each text. */
  readonly prefix: string;
}

/** Knows what a pipeline reads of an input: how long it is, how much is left when it is cut, and what is wrong before it is run. */
export class PipelineReader {
  private readonly params: ReaderParams;

  constructor(params: ReaderParams) {
    this.params = params;
  }

  read(input: PipelineInput, options: PipelineOptions): PipelineReading {
    if (typeof input !== 'string')
      return 'question' in input ? this.readQuestion(input) : this.readPrompt(input, options);
    switch (this.params.pipeline) {
      case 'text-generation':
        return this.readPrompt(input, options);
      case 'zero-shot-classification':
        return this.readPremise(input, options);
      case 'fill-mask':
        return this.readMasked(input);
      default:
        return this.cut(this.count(`${this.params.prefix}${input}`));
    }
  }

  /**
   * The longest beginning of a text that fits in front of another one: transformers.js cuts a pair at its end, where the
   * hypothesis of zero-shot classification stands.
   */
  fit(text: string, other: string): string {
    if (this.count(text, other) <= this.params.limit) return text;
    let fits = 0;
    let tooLong = text.length;
    while (tooLong - fits > 1) {
      const middle = (fits + tooLong) >>> 1;
      if (this.count(text.slice(0, middle), other) <= this.params.limit) fits = middle;
      else tooLong = middle;
    }
    return text.slice(0, fits).toWellFormed();
  }

  /** Of some texts the one with the most tokens. */
  longest(texts: readonly string[]): string {
    const lengths = texts.map((text) => this.count(text));
    return texts[lengths.indexOf(Math.max(...lengths))] ?? '';
  }

  private readQuestion({
    question,
    context,
  }: {
    readonly question: string;
    readonly context: string;
  }): PipelineReading {
    const reading = this.cut(this.count(question, context));
    if (this.count(question) < this.params.limit) return reading;
    return { ...reading, problem: `the question fills the ${this.params.limit} tokens that the model reads` };
  }

  private readPremise(text: string, options: PipelineOptions): PipelineReading {
    const hypothesis = this.longest(hypothesesOf(options));
    const reading = this.cut(this.count(text, hypothesis));
    if (reading.reads === reading.tokens || this.count('', hypothesis) < this.params.limit) return reading;
    return { ...reading, problem: `a label fills the ${this.params.limit} tokens that the model reads` };
  }

  private readMasked(text: string): PipelineReading {
    const { tokenizer, limit } = this.params;
    const ids = tokenizer.encode(text);
    const place = ids.indexOf(Number(tokenizer.mask_token_id));
    const reading = this.cut(ids.length);
    if (place < 0) return { ...reading, problem: `the text has no ${tokenizer.mask_token}` };
    if (place < limit) return reading;
    return { ...reading, problem: `${tokenizer.mask_token} stands behind the ${limit} tokens that the model reads` };
  }

  /** A prompt is never cut: what is written goes on from its end. */
  private readPrompt(input: Exclude<PipelineInput, { question: string }>, options: PipelineOptions): PipelineReading {
    const { tokenizer, limit } = this.params;
    let tokens: number;
    try {
      tokens =
        typeof input === 'string'
          ? tokenizer.encode(input, { add_special_tokens: addsMarks(tokenizer, options) }).length
          : this.renderedLength(input);
    } catch (error) {
      return { tokens: 0, reads: 0, problem: (error as Error).message };
    }
    const problem =
      tokens < limit ? undefined : `the prompt has ${tokens} tokens, which leaves no room in the ${limit} of the model`;
    return { tokens, reads: tokens, problem };
  }

  private renderedLength(chat: readonly { readonly role: string; readonly content: string }[]): number {
    const { tokenizer } = this.params;
    const text = tokenizer.apply_chat_template([...chat], { tokenize: false, add_generation_prompt: true });
    return tokenizer.encode(String(text), { add_special_tokens: false }).length;
  }

  private cut(tokens: number): PipelineReading {
    return { tokens, reads: Math.min(tokens, this.params.limit), problem: undefined };
  }

  private count(text: string, pair?: string): number {
    return this.params.tokenizer.encode(text, { text_pair: pair ?? null }).length;
  }
}

/** What zero-shot classification compares a text with, one sentence for each label. */
export function hypothesesOf(options: PipelineOptions): string[] {
  if (!('candidate_labels' in options)) return [];
  const { candidate_labels: labels, hypothesis_template: template = 'This example is {}.' } = options;
  // By a function: in a replacement text `$&` would have a meaning.
  return labels.map((label) => template.replace('{}', () => label));
}

/** As the pipeline decides it. */
function addsMarks(tokenizer: PreTrainedTokenizer, options: PipelineOptions): boolean {
  const asked = 'add_special_tokens' in options ? options.add_special_tokens : undefined;
  const { add_bos_token: begins, add_eos_token: ends } = tokenizer as {
    add_bos_token?: boolean;
    add_eos_token?: boolean;
  };
  return asked ?? (begins || ends) ?? false;
}

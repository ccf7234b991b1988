import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { JsonFolder } from './json-folder.ts';
import { type ModelTexts, openModelTexts } from './model-folder.ts';
import { createWordPieces } from './word-pieces.ts';

/** Counts the tokens of texts as a model does. */
export interface TokenCounter {
  readonly model: string;
  /** Hash of the tokenizer's files: another one may count otherwise. */
  readonly fingerprint: string;
  /** Tokens that are put around every text, such as [CLS] and [SEP]. */
  readonly frameTokens: number;
  /** Tokens of a text to embed that the model reads, without those of the prefix that it puts in front of documents. */
  readonly readableTokens: number;
  /**
   * Whether the tokens of a text are those of its parts, one after the other, wherever it is parted at white space, at an
   * ideograph, or at East Asian punctuation (but for the full-width colon and full stop, which are parts of words).
   */
  readonly addsUp: boolean;
  /** Tokens of a whole text, with those around it. */
  count(text: string): number;
  /** Tokens of a word or another short piece of text, without those around it. Remembered if it is short. */
  countWord(word: string): number;
}

const component = z.looseObject({ type: z.string() });
const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ content: z.string() })),
  normalizer: component.nullable(),
  pre_tokenizer: component.nullable(),
  model: z.looseObject({ type: z.string().optional() }),
});
type TokenizerJson = z.infer<typeof tokenizerSchema>;
const configSchema = z.record(z.string(), z.unknown());
const files = { tokenizer: 'tokenizer.json', config: 'tokenizer_config.json' };

/** What is used of the library, whose own declarations TypeScript does not find. */
interface LibraryTokenizer {
  readonly model: {
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    readonly unk_token: string;
    readonly max_input_chars_per_word: number;
    readonly config: { readonly continuing_subword_prefix: string };
    encode(words: readonly string[]): string[];
  };
  tokenize(text: string, options: { readonly add_special_tokens: boolean }): string[];
}

/** Words of up to so many characters are remembered; a text of others would only push them out. */
const longestKnownWord = 32;
/** Words that are remembered: some 6 MB. When there are more all are forgotten, which costs less than keeping them in order of use. */
const mostKnownWords = 50_000;

/** The tokenizers of a lane's models, by @huggingface/tokenizers, without ONNX Runtime. Each is loaded once. */
export class Tokenizers {
  private readonly modelsDir: string;
  private readonly loading = new Map<string, Promise<TokenCounter>>();

  constructor(modelsDir: string) {
    this.modelsDir = modelsDir;
  }

  /** @throws MillraceError MODEL_NOT_AVAILABLE with the reason, MODEL_DAMAGED; a later call tries again. */
  async open(model: string): Promise<TokenCounter> {
    const loading = this.loading.get(model) ?? this.load(model);
    this.loading.set(model, loading);
    try {
      return await loading;
    } catch (error) {
      this.loading.delete(model);
      throw error;
    }
  }

  private async load(model: string): Promise<TokenCounter> {
    const texts = await openModelTexts({ modelsDir: this.modelsDir, model });
    const json = new JsonFolder(model, texts.path);
    const tokenizer =
      (await json.read(files.tokenizer, tokenizerSchema)) ?? json.refuse(files.tokenizer, 'is not there');
    const config = (await json.read(files.config, configSchema)) ?? {};
    const fingerprint = await hashOf(texts.path);
    try {
      return new LibraryCounter(texts, { tokenizer, config, fingerprint });
    } catch (error) {
      return json.refuse(files.tokenizer, (error as Error).message);
    }
  }
}

async function hashOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of Object.values(files)) {
    hash.update(file).update(await readFile(path.join(folder, file)).catch(() => ''));
  }
  return hash.digest('hex');
}

interface Loaded {
  readonly tokenizer: TokenizerJson;
  readonly config: Readonly<Record<string, unknown>>;
  readonly fingerprint: string;
}

class LibraryCounter implements TokenCounter {
  readonly model: string;
  readonly fingerprint: string;
  readonly frameTokens: number;
  readonly readableTokens: number;
  readonly addsUp: boolean;
  private readonly tokenizer: LibraryTokenizer;
  private readonly known = new Map<string, number>();

  constructor({ name, settings }: ModelTexts, { tokenizer, config, fingerprint }: Loaded) {
    this.model = name;
    this.fingerprint = fingerprint;
    this.tokenizer = new Tokenizer(tokenizer, config);
    if (tokenizer.model.type === 'WordPiece') hasten(this.tokenizer);
    this.frameTokens = this.count('');
    this.readableTokens = settings.tokenLimits.embed - (this.count(settings.prefixes.document) - this.frameTokens);
    this.addsUp = addsUp(tokenizer, config);
  }

  count(text: string): number {
    return this.tokenizer.tokenize(text, { add_special_tokens: true }).length;
  }

  countWord(word: string): number {
    const known = this.known.get(word);
    if (known !== undefined) return known;
    const tokens = this.count(word) - this.frameTokens;
    if (word.length <= longestKnownWord) {
      if (this.known.size >= mostKnownWords) this.known.clear();
      this.known.set(ownCopy(word), tokens);
    }
    return tokens;
  }
}

/** A piece cut out of a text holds on to the whole of it in memory; a copy does not. */
function ownCopy(word: string): string {
  return Buffer.from(word, 'utf16le').toString('utf16le');
}

/** Long words in a time that grows with their length, with the same result. */
function hasten({ model }: LibraryTokenizer): void {
  model.encode = createWordPieces({
    pieces: model.tokens_to_ids,
    prefix: model.config.continuing_subword_prefix,
    longestWord: model.max_input_chars_per_word,
    unknown: model.unk_token,
  });
}

/** What a token must not contain if texts are to be parted there. */
const parting = /[\s\p{Script=Han}\u3000-\u303f\uff00-\uffef\u2018-\u201f]/u;

/**
 * BERT's tokenizers take a text apart at every white space, ideograph and punctuation mark before anything else, and no step
 * looks across: lower-casing, accents, pieces of words. Of others it is not known.
 */
function addsUp({ normalizer, pre_tokenizer, model, added_tokens }: TokenizerJson, config: Loaded['config']): boolean {
  return (
    model.type === 'WordPiece' &&
    model['fuse_unk'] !== true &&
    normalizer?.type === 'BertNormalizer' &&
    normalizer['clean_text'] !== false &&
    normalizer['handle_chinese_chars'] !== false &&
    pre_tokenizer?.type === 'BertPreTokenizer' &&
    config['do_lowercase_and_remove_accent'] !== true &&
    !added_tokens.some(({ content }) => parting.test(content))
  );
}

import { AutoTokenizer, type PreTrainedTokenizer } from '@huggingface/transformers';
import type { ModelFolder } from '../../models/model-folder.ts';
import type { TokenizedPair, TokenizedText } from '../runtime.ts';
import { loadFailure } from './load-failure.ts';

/** A model's tokenizer. A text that is too long loses its end; the marks that the tokenizer puts behind a text stay. */
export class TextTokenizer {
  /** Fills up the rows of a pass. */
  readonly padId: number;
  private readonly tokenizer: PreTrainedTokenizer;
  private readonly frame: Frame;
  private readonly pairFrame: PairFrame;

  private constructor(tokenizer: PreTrainedTokenizer) {
    this.tokenizer = tokenizer;
    this.padId = tokenizer.pad_token_id ?? 0;
    this.frame = frameOf(tokenizer);
    this.pairFrame = pairFrameOf(tokenizer);
  }

  /** @throws MillraceError MODEL_NOT_AVAILABLE. */
  static async open({ name }: ModelFolder): Promise<TextTokenizer> {
    try {
      return new TextTokenizer(await AutoTokenizer.from_pretrained(name));
    } catch (error) {
      throw loadFailure(name, 'tokenizer.json, tokenizer_config.json', error);
    }
  }

  /** A text of at most `limit` tokens. */
  text(text: string, limit: number): TokenizedText {
    const ids = this.tokenizer.encode(text);
    const tokens = ids.length;
    if (tokens <= limit) return { ids, tokens, truncated: false };
    const { after } = this.frame;
    return { ids: [...ids.slice(0, Math.max(0, limit - after.length)), ...after], tokens, truncated: true };
  }

  /** A text with its type ids, which are those of the first of a pair. */
  typedText(text: string, limit: number): TokenizedPair {
    const tokenized = this.text(text, limit);
    return { ...tokenized, typeIds: tokenized.ids.map(() => this.pairFrame.first) };
  }

  /** A pair of at most `limit` tokens: while it is too long the longer of the two loses its end, as in the original tokenizers. */
  pair(text: string, other: string, limit: number): TokenizedPair {
    const { before, between, after, first, second } = this.pairFrame;
    const texts = [text, other].map((part) => this.tokenizer.encode(part, { add_special_tokens: false }));
    const [one = [], two = []] = texts;
    const marks = before.ids.length + between.ids.length + after.ids.length;
    const tokens = marks + one.length + two.length;
    const [keptOne, keptTwo] = shareRoom(one.length, two.length, Math.max(0, limit - marks));
    const cutOne = one.slice(0, keptOne);
    const cutTwo = two.slice(0, keptTwo);
    return {
      ids: [...before.ids, ...cutOne, ...between.ids, ...cutTwo, ...after.ids],
      typeIds: [
        ...before.types,
        ...cutOne.map(() => first),
        ...between.types,
        ...cutTwo.map(() => second),
        ...after.types,
      ],
      tokens,
      truncated: tokens > limit,
    };
  }
}

/** Of two lists how much is kept, when there is room for so many: the longer one gives way until both are alike. */
function shareRoom(one: number, two: number, room: number): [number, number] {
  if (one + two <= room) return [one, two];
  const half = Math.floor(room / 2);
  if (one <= half) return [one, room - one];
  if (two <= half) return [room - two, two];
  return [room - half, half];
}

/** The marks that a tokenizer puts around a text: [CLS] and [SEP], <s> and </s> … */
interface Frame {
  readonly after: readonly number[];
}

interface Marks {
  readonly ids: readonly number[];
  readonly types: readonly number[];
}

/** The marks around and between a pair, and the type ids of its two texts. */
interface PairFrame {
  readonly before: Marks;
  readonly between: Marks;
  readonly after: Marks;
  readonly first: number;
  readonly second: number;
}

/** A word of no meaning, to see what is put around it. */
const probe = 'a';

function frameOf(tokenizer: PreTrainedTokenizer): Frame {
  const ids = tokenizer.encode(probe);
  const bare = tokenizer.encode(probe, { add_special_tokens: false });
  return { after: ids.slice(find(ids, bare, 0) + bare.length) };
}

function pairFrameOf(tokenizer: PreTrainedTokenizer): PairFrame {
  const bare = tokenizer.encode(probe, { add_special_tokens: false });
  const encoded = tokenizer(probe, { text_pair: probe, return_tensor: false, return_token_type_ids: true });
  const { input_ids: ids, token_type_ids: types = ids.map(() => 0) } = encoded;
  const one = find(ids, bare, 0);
  const two = find(ids, bare, one + bare.length);
  const marks = (from: number, to?: number): Marks => ({ ids: ids.slice(from, to), types: types.slice(from, to) });
  return {
    before: marks(0, one),
    between: marks(one + bare.length, two),
    after: marks(two + bare.length),
    first: types[one] ?? 0,
    second: types[two] ?? 0,
  };
}

/** Where one list of ids begins in another. @throws Error when it does not. */
function find(ids: readonly number[], part: readonly number[], from: number): number {
  for (let at = from; at + part.length <= ids.length; at += 1) {
    if (part.length > 0 && part.every((id, index) => ids[at + index] === id)) return at;
  }
  throw new Error(`its tokenizer makes ${ids.join(' ')} of a word that is ${part.join(' ')}`);
}

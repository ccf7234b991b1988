import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary MODELS_DIR with tokenizers of other kinds than BERT's, small and made up: `bytes` and `pieces`. */
export interface OtherTokenizers {
  readonly dir: string;
  remove(): void;
}

export function makeOtherTokenizers(): OtherTokenizers {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-tokenizers-'));
  writeModel(dir, 'bytes', bytePairs());
  writeModel(dir, 'pieces', sentencePieces());
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

function writeModel(dir: string, name: string, tokenizer: object): void {
  mkdirSync(join(dir, name));
  writeFileSync(join(dir, name, 'config.json'), JSON.stringify({ model_type: 'made-up' }));
  writeFileSync(join(dir, name, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(dir, name, 'tokenizer_config.json'), JSON.stringify({ model_max_length: 300 }));
}

const special = ['<s>', '</s>', '<unk>'];
const addedTokens = special.map((content, id) => ({ id, content, special: true, normalized: false }));

/** As RoBERTa's and GPT-2's: bytes, put together pair by pair; the space before a word belongs to it. */
function bytePairs(): object {
  const bytes = Array.from({ length: 256 }, (_, byte) => byteLetter(byte));
  const merges = [
    't h',
    'th e',
    'Ġ the',
    'i n',
    'i l',
    'il l',
    'm ill',
    'Ġ mill',
    'Ġ a',
    'Ċ Ċ',
    'x x',
    'xx xx',
    'w h',
    'e e',
  ];
  const tokens = [...special, ...bytes, ...merges.map((merge) => merge.replace(' ', ''))];
  return {
    added_tokens: addedTokens,
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['</s>', 1],
      cls: ['<s>', 0],
      add_prefix_space: false,
      trim_offsets: true,
    },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', unk_token: null, merges, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) },
  };
}

/** GPT-2's letters for bytes: those that can be printed stand for themselves. */
function byteLetter(byte: number): string {
  const isPrinted = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  if (isPrinted) return String.fromCharCode(byte);
  const before = Array.from({ length: byte }, (_, one) => one).filter(
    (one) => !((one >= 0x21 && one <= 0x7e) || (one >= 0xa1 && one <= 0xac) || one >= 0xae),
  ).length;
  return String.fromCharCode(256 + before);
}

/** As T5's and XLM-R's: the likeliest pieces of the whole text, spaces among them. */
function sentencePieces(): object {
  const words = [
    '▁',
    '▁the',
    '▁mill',
    'mill',
    '▁a',
    'th',
    'ing',
    'e',
    't',
    'm',
    'i',
    'l',
    'a',
    'x',
    'xxxx',
    '.',
    '。',
    '今',
    '日',
  ];
  const vocab = [...special.map((token) => [token, 0]), ...words.map((word, index) => [word, -2 - index / 10])];
  return {
    added_tokens: addedTokens,
    normalizer: { type: 'NFKC' },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [],
      special_tokens: { '</s>': { id: '</s>', ids: [1], tokens: ['</s>'] } },
    },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
    model: { type: 'Unigram', unk_id: 2, vocab },
  };
}

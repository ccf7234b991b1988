import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AutoTokenizer, env } from '@huggingface/transformers';
import { builtinTaskTypes } from '@millrace/shared/tasks/catalog';
import { parseTask } from '@millrace/shared/tasks/parse';
import type { Chunk, ChunkOutput } from '@millrace/shared/tasks/text/chunk';
import { Tokenizers } from '../src/models/tokenizers.ts';
import { chunkProcessor } from '../src/text/chunk.ts';

export const bundledDir = fileURLToPath(new URL('../../../models', import.meta.url));
export const book = readFileSync(new URL('../../../examples/data/book.txt', import.meta.url), 'utf8');

const type = builtinTaskTypes['text.chunk'];
const door = { catalog: new Map([[type.type, type as never]]) };
const tokenizers = new Tokenizers(bundledDir);

/** Runs a task as door, lane and join do. */
export async function chunkTask(input: unknown, from = tokenizers): Promise<ChunkOutput> {
  const parsed = parseTask(door, { type: type.type, input }).input as Parameters<typeof type.items>[0];
  const context = { signal: new AbortController().signal, count: () => {} };
  const outcomes = await chunkProcessor(from).process(type.items(parsed), context);
  const values = outcomes.map((outcome) => {
    if (outcome.ok) return outcome.value;
    throw Object.assign(new Error(outcome.message), { code: outcome.code });
  });
  return type.join(values, parsed);
}

export async function chunksOf(text: string, options: object = {}): Promise<Chunk[]> {
  return (await chunkTask({ texts: [text], ...options })).chunks[0] ?? [];
}

export async function textsOf(text: string, options: object = {}): Promise<string[]> {
  return (await chunksOf(text, options)).map((chunk) => chunk.text);
}

/** Counts tokens as the embedding model does: by its own library, not by the one of the text lane. */
export async function modelCount(): Promise<(text: string) => number> {
  env.allowRemoteModels = false;
  env.localModelPath = bundledDir;
  const tokenizer = await AutoTokenizer.from_pretrained('all-MiniLM-L6-v2');
  return (text) => tokenizer.encode(text).length;
}

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

interface Asked {
  readonly maxTokens: number;
  readonly overlapTokens?: number;
  readonly count: (text: string) => number;
}

/** What is wrong with the chunks of a text, in words; empty when nothing is. */
export function faultsOf(
  text: string,
  chunks: readonly Chunk[],
  { maxTokens, overlapTokens = 0, count }: Asked,
): string[] {
  const faults: string[] = [];
  const segments = graphemes.segment(text);
  const isCut = (at: number) => at === text.length || segments.containing(at)?.index === at;
  let read = 0;
  let before = -1;
  for (const { start, end, tokens, text: part } of chunks) {
    const say = (fault: string) => faults.push(`${fault}: ${start}-${end} ${JSON.stringify(part)}`);
    if (text.slice(start, end) !== part || part.trim() === '') say('offsets');
    if (count(part) !== tokens) say(`${tokens} tokens, not ${count(part)}`);
    if (tokens > maxTokens && [...graphemes.segment(part)].length > 1) say('too long');
    if (!isCut(start) || !isCut(end)) say('a grapheme is cut');
    if (text.slice(read, Math.max(read, start)).trim() !== '') say('something is lost before');
    if (start <= before || (overlapTokens === 0 && start < read)) say('out of order');
    before = start;
    read = Math.max(read, end);
  }
  if (text.slice(read).trim() !== '') faults.push('the end is lost');
  if (new Set(chunks.map(({ id }) => id)).size !== chunks.length) faults.push('an id comes twice');
  return faults;
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TaskResult } from '@millrace/client/read';
import { MillraceError } from '@millrace/shared/errors';
import { printable } from '../result/float32-text.ts';
import type { EmbeddingRequest } from './embedding-request.ts';

/** What is known of a text that was embedded. */
export interface EmbeddedText {
  /** float32, little-endian. */
  readonly vector: Buffer;
  readonly tokens: number;
  /** The text was longer than the model reads. */
  readonly truncated: boolean;
}

/** Numbers that are printed before others have their turn: about 10 ms. */
const numbersPerTurn = 65_536;
const bytesPerNumber = 4;

/** The texts of an `inference.embed` task, in order. */
export function embeddedTexts({ output, vectors }: Pick<TaskResult, 'output' | 'vectors'>): EmbeddedText[] {
  const { tokens, truncated } = output as { tokens: number[]; truncated: boolean[] };
  if (vectors === undefined) throw new MillraceError('INTERNAL', 'an embedding came without its vectors');
  const length = vectors.dimensions * bytesPerNumber;
  return Array.from({ length: vectors.rows }, (_, row) => ({
    vector: vectors.bytes.subarray(row * length, (row + 1) * length),
    tokens: tokens[row] ?? 0,
    truncated: truncated[row] ?? false,
  }));
}

/** How many numbers the vector of a text has. */
export function dimensionsOf({ vector }: EmbeddedText): number {
  return vector.byteLength / bytesPerNumber;
}

/** The answer to a request as JSON, in OpenAI's shape; a text that was cut says so in a field of ours. */
export async function embeddingAnswer(
  { model, encoding }: Pick<EmbeddingRequest, 'model' | 'encoding'>,
  texts: readonly EmbeddedText[],
): Promise<string> {
  const data: string[] = [];
  let printed = 0;
  for (const [index, text] of texts.entries()) {
    const embedding = encoding === 'base64' ? `"${text.vector.toString('base64')}"` : numbersText(text.vector);
    const cut = text.truncated ? ',"truncated":true' : '';
    data.push(`{"object":"embedding","index":${index},"embedding":${embedding}${cut}}`);
    printed += encoding === 'base64' ? 0 : dimensionsOf(text);
    if (printed < numbersPerTurn) continue;
    printed = 0;
    await nextTurn();
  }
  const used = tokensOf(texts);
  const usage = `{"prompt_tokens":${used},"total_tokens":${used}}`;
  return `{"object":"list","data":[${data.join(',')}],"model":${JSON.stringify(model)},"usage":${usage}}`;
}

export function tokensOf(texts: readonly EmbeddedText[]): number {
  return texts.reduce((sum, { tokens }) => sum + tokens, 0);
}

function numbersText(vector: Buffer): string {
  const numbers = Array.from({ length: vector.byteLength / bytesPerNumber }, (_, index) =>
    printable(vector.readFloatLE(index * bytesPerNumber)),
  );
  return JSON.stringify(numbers);
}

import type { ChildTask, PreparationFacts } from '../preparation.ts';
import type { VectorValue } from './vector-value.ts';

/** Texts of one child: the limits of inference.embed. */
const textsPerChild = 256;
const bytesPerChild = 900_000;

/** What the texts are for: a model may read queries and documents differently. */
export type Purpose = 'query' | 'document';

type EmbeddedTexts =
  | { readonly children: readonly ChildTask[] }
  | { readonly children: undefined; readonly vectors: readonly VectorValue[]; readonly fingerprint: string };

/**
 * The vectors of some texts by the collection's model, or the children that make them. `name` tells them from other children
 * of the task.
 */
export function embedFirst(
  { name, texts, purpose }: { name: string; texts: readonly string[]; purpose: Purpose },
  { collection, outputOf }: PreparationFacts,
): EmbeddedTexts {
  const model = collection?.collection.model;
  const children = partsOf(texts).map((part, index): ChildTask => {
    const input = { texts: part, purpose, ...(model === null || model === undefined ? {} : { model }) };
    return { name: `${name}-${index}`, type: 'inference.embed', input };
  });
  const outputs = children.map((child) => outputOf(child.name));
  const missing = children.filter((_, index) => outputs[index] === undefined);
  if (missing.length > 0) return { children: missing };
  const fingerprint = String(outputs[0]?.['fingerprint'] ?? '');
  return { children: undefined, vectors: outputs.flatMap((output) => toValues(output?.['embeddings'])), fingerprint };
}

function partsOf(texts: readonly string[]): string[][] {
  const parts: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const text of texts) {
    const textBytes = Buffer.byteLength(JSON.stringify(text));
    if (bytes + textBytes > bytesPerChild || (parts.at(-1)?.length ?? textsPerChild) >= textsPerChild) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(text);
    bytes += textBytes;
  }
  return parts;
}

function toValues(rows: unknown): VectorValue[] {
  return (rows as Float32Array[]).map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
  );
}

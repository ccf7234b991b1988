import { MillraceError } from '../../errors.ts';
import type { Purpose } from '../inference/embed.ts';
import type { ChildTask, PreparationFacts } from '../preparation.ts';
import { outputsOfParts } from './text-parts.ts';
import type { VectorValue } from './vector-value.ts';

/** Texts of a task, and what they are for. */
interface TextsToEmbed {
  readonly texts: readonly string[];
  readonly purpose: Purpose;
  /** Of the vectors that the task brings beside them, if it says. */
  readonly fingerprint: string | undefined;
}

type EmbeddedTexts =
  | { readonly children: readonly ChildTask[] }
  | {
      readonly children: undefined;
      readonly vectors: readonly VectorValue[];
      /** Undefined when there was no text. */
      readonly fingerprint: string | undefined;
    };

/**
 * The vectors of some texts by the collection's model, or the children that make them.
 * @throws MillraceError COLLECTION_MISMATCH when vectors of several fingerprints would go together.
 */
export function embedFirst({ texts, purpose, fingerprint }: TextsToEmbed, facts: PreparationFacts): EmbeddedTexts {
  const options = { purpose, model: facts.collection?.collection.model ?? undefined };
  const { outputs, missing } = outputsOfParts({ name: 'embed', type: 'inference.embed', texts, options }, facts);
  if (missing.length > 0) return { children: missing };
  return {
    children: undefined,
    vectors: outputs.flatMap((output) => toValues(output['embeddings'])),
    fingerprint: oneOf([fingerprint, ...outputs.map((output) => output['fingerprint'] as string | undefined)]),
  };
}

function oneOf(fingerprints: readonly (string | undefined)[]): string | undefined {
  const [first, ...others] = new Set(fingerprints.filter((fingerprint) => fingerprint !== undefined));
  if (others.length === 0) return first;
  const detail = `Vectors of several fingerprints do not go together: ${[first, ...others].join(', ')}.`;
  throw new MillraceError('COLLECTION_MISMATCH', detail);
}

function toValues(rows: unknown): VectorValue[] {
  return (rows as Float32Array[]).map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
  );
}

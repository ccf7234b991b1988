import type { CallContext } from '@millrace/shared/tasks/processor';
import { planPasses } from './plan-passes.ts';
import type { TokenizedText } from './runtime.ts';

/** The call that a processor computes in. */
export interface PassCall {
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
  readonly context: CallContext;
}

interface Network<T> {
  /** Whether several texts may share a forward pass. */
  readonly batches: boolean;
  /** One forward pass: as many numbers for each text, row after row. */
  compute(texts: readonly T[]): Promise<Float32Array>;
}

/** Computes texts in as few padded tokens as they allow; gives the row of each, in the order of the texts. */
export async function runPasses<T extends TokenizedText>(
  network: Network<T>,
  texts: readonly T[],
  { passTokens, context }: PassCall,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  const lengths = texts.map(({ ids }) => ids.length);
  // A budget that no two texts fit in makes each a pass of its own.
  for (const pass of planPasses(lengths, network.batches ? passTokens : 0)) {
    const inPass = pass.map((index) => texts[index] as T);
    const computed = await network.compute(inPass);
    count(context, inPass);
    const width = computed.length / pass.length;
    pass.forEach((index, row) => {
      rows[index] = computed.subarray(row * width, (row + 1) * width);
    });
  }
  return rows;
}

function count(context: CallContext, pass: readonly TokenizedText[]): void {
  const lengths = pass.map(({ ids }) => ids.length);
  context.count(
    'realTokens',
    lengths.reduce((sum, length) => sum + length, 0),
  );
  context.count('paddedTokens', lengths.length * Math.max(...lengths));
}

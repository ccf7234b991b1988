import type { ProcessorsOf } from '../process/processors-of.ts';
import { deleteProcessor } from './delete.ts';
import { documentsProcessor } from './documents.ts';
import { searchProcessor } from './search.ts';
import { upsertProcessor } from './upsert.ts';
import type { VectorSide } from './vector-side.ts';

/** The processors of the vector family. */
export function vectorProcessors(side: VectorSide): ProcessorsOf<'vector'> {
  return {
    'vector.upsert': upsertProcessor(side),
    'vector.documents': documentsProcessor(side),
    'vector.delete': deleteProcessor(side),
    'vector.search': searchProcessor(side.replicas),
  };
}

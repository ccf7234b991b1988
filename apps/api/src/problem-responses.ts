import { type ErrorCode, errorTable } from '@millrace/shared/errors';
import { problemSchema, problemType } from './problem.ts';

interface DocumentedProblem {
  readonly description: string;
  readonly content: { readonly [problemType]: { readonly schema: typeof problemSchema } };
}

/** The error answers of a route, for its documentation: one a status, naming the codes. */
export function problemResponses(...codes: readonly ErrorCode[]): Record<number, DocumentedProblem> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorTable[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { [problemType]: { schema: problemSchema } } as const;
  return Object.fromEntries([...byStatus].map(([status, same]) => [status, { description: same.join(', '), content }]));
}

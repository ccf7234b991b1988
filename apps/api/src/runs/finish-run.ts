import type { endedRunStatuses, Run, RunChanges, RunPart } from '@millrace/shared/redis/run-record';
import type { Runs } from '@millrace/shared/redis/runs';
import { runDelivery } from '@millrace/shared/webhook-events';
import { outputFileId, partPrefix } from '../files/file-ids.ts';
import type { FileStore } from '../files/file-store.ts';
import type { Files } from '../files/files.ts';
import { refuseLost } from './output-writer.ts';

type RunEnding = (typeof endedRunStatuses)[number];

interface FinishParams {
  readonly store: FileStore;
  readonly files: Files;
  readonly runs: Runs;
  readonly holder: string;
  /** How long the run is remembered, in ms. */
  readonly ttlMs: number;
  readonly now: () => number;
}

/** The field that says when a run ended so. */
const endedAt = {
  completed: 'completedAt',
  failed: 'failedAt',
  expired: 'expiredAt',
  cancelled: 'cancelledAt',
} as const satisfies Record<RunEnding, keyof RunChanges>;

/**
 * Joins the parts to an output and an error file, ends the run, and removes the parts. Done again after a crash it makes the same
 * files under the same ids.
 * @throws Interruption when the run is another's by now, MillraceError of store and Redis.
 */
export async function finishRun(run: Run, ending: RunEnding, params: FinishParams): Promise<void> {
  const outputFile = await joinParts(run, 'output', params);
  const errorFile = await joinParts(run, 'errors', params);
  await endRun(run, ending, { ...params, changes: { ...outputFile, ...errorFile } });
}

/** Ends a run without looking at its parts, and removes them. */
export async function endRun(
  run: Run,
  ending: RunEnding,
  { store, runs, holder, ttlMs, now, changes }: Omit<FinishParams, 'files'> & { readonly changes: RunChanges },
): Promise<void> {
  const at = now();
  const ended = { ...changes, status: ending, [endedAt[ending]]: at, blocked: null };
  const told = runDelivery({ ...run, ...ended }, at);
  refuseLost(run.id, await runs.end(run, { holder, changes: ended, forgottenAt: at + ttlMs, told }));
  for await (const { name } of store.list(partPrefix(run.id))) await store.delete(name);
}

async function joinParts(
  run: Run,
  kind: keyof RunPart,
  { store, files, runs }: FinishParams,
): Promise<Pick<Run, 'outputFileId' | 'errorFileId'>> {
  const names: string[] = [];
  for await (const part of runs.parts(run.id)) {
    const name = part[kind];
    if (name !== undefined) names.push(name);
  }
  // As with OpenAI there is no file when nothing would be in it.
  if (names.length === 0) return {};
  const id = outputFileId(run.id, kind);
  const bytes = await store.put(id, contentsOf(store, names));
  const filename = `${run.id}_${kind === 'output' ? 'output' : 'error'}.jsonl`;
  await files.keep({ id, bytes }, { filename, purpose: 'batch_output', ttlMs: run.outputTtlMs });
  return kind === 'output' ? { outputFileId: id } : { errorFileId: id };
}

async function* contentsOf(store: FileStore, names: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const name of names) {
    const pieces: AsyncIterable<Buffer> = await store.read(name);
    yield* pieces;
  }
}

import type { WebhookCheck } from '@millrace/client/webhook-check';
import { MillraceError } from '@millrace/shared/errors';
import { withRedis } from '@millrace/shared/redis/connection';
import type { Run } from '@millrace/shared/redis/run-record';
import type { Runs } from '@millrace/shared/redis/runs';
import { isRunId, newRunId } from '../files/file-ids.ts';
import type { Files } from '../files/files.ts';
import { type BatchRequest, priorityOf } from './batch-request.ts';
import { windowMs } from './completion-window.ts';

interface BatchesParams {
  readonly files: Files;
  readonly runs: Runs;
  readonly webhooks: WebhookCheck;
  /** FILES_TTL, in ms. */
  readonly ttlMs: number;
  /** Something is new about a run. */
  readonly poke: (runId: string) => void;
  readonly now: () => number;
}

/** What clients do with runs. */
export class Batches {
  private readonly params: BatchesParams;

  constructor(params: BatchesParams) {
    this.params = params;
  }

  /** Begins a run. @throws MillraceError INVALID_REQUEST, WEBHOOKS_OFF, FILE_NOT_FOUND, QUEUE_FULL, REDIS_UNAVAILABLE. */
  async create(request: BatchRequest): Promise<Run> {
    const { files, runs, webhooks, ttlMs, poke, now } = this.params;
    const webhook = request.webhook ?? undefined;
    const refusal = await webhooks.refusal(webhook, 'webhook', 'INVALID_REQUEST');
    if (refusal !== undefined) throw refusal;
    const priority = priorityOf(request);
    const input = await files.get(request.input_file_id);
    if (input.purpose !== 'batch') throw notForBatches(input.id, input.purpose);
    const createdAt = now();
    const run: Run = {
      id: newRunId(),
      endpoint: request.endpoint,
      inputFileId: input.id,
      completionWindow: request.completion_window,
      metadata: request.metadata ?? null,
      priority,
      outputTtlMs: request.output_expires_after ? request.output_expires_after.seconds * 1000 : ttlMs,
      status: 'validating',
      createdAt,
      expiresAt: createdAt + windowMs(request.completion_window),
      total: 0,
      completed: 0,
      failed: 0,
      inputTokens: 0,
      cursor: { line: 0, byte: 0 },
      ...(webhook === undefined ? {} : { webhook: webhook.url }),
    };
    if (!(await withRedis(() => runs.open(run)))) {
      throw new MillraceError('FILE_NOT_FOUND', `There is no file ${JSON.stringify(input.id)}.`);
    }
    poke(run.id);
    return run;
  }

  /** @throws MillraceError RUN_NOT_FOUND, REDIS_UNAVAILABLE. */
  async get(id: string): Promise<Run> {
    const run = isRunId(id) ? await withRedis(() => this.params.runs.get(id)) : undefined;
    if (run === undefined) throw missing(id);
    return run;
  }

  /** Up to `count` runs behind one, newest first. @throws MillraceError RUN_NOT_FOUND when the one is not there. */
  async list(page: { after: string | undefined; count: number }): Promise<Run[]> {
    const found = await withRedis(() => this.params.runs.list(page));
    if (found === undefined) throw missing(page.after ?? '');
    return found;
  }

  /**
   * Has a run cancelled; once more changes nothing. What is done by then stays.
   * @throws MillraceError RUN_NOT_FOUND, RUN_ENDED, REDIS_UNAVAILABLE.
   */
  async cancel(id: string): Promise<Run> {
    const { runs, poke, now } = this.params;
    const run = await this.get(id);
    const changes = { status: 'cancelling', cancellingAt: now() } as const;
    const written = await withRedis(() => runs.write(id, { from: ['validating', 'in_progress'], changes }));
    if (written === 'missing') throw missing(id);
    const current = written === 'written' ? { ...run, ...changes } : await this.get(id);
    if (written === 'other' && current.status !== 'cancelling') {
      throw new MillraceError('RUN_ENDED', `Cannot cancel a batch with status '${current.status}'.`);
    }
    poke(id);
    return current;
  }
}

function missing(id: string): MillraceError {
  return new MillraceError('RUN_NOT_FOUND', `There is no batch ${JSON.stringify(id.slice(0, 100))}.`);
}

function notForBatches(id: string, purpose: string): MillraceError {
  const problem = {
    path: 'input_file_id',
    got: `a file of purpose ${JSON.stringify(purpose)}`,
    expected: 'one of purpose "batch"',
    remedy: 'Upload it with purpose=batch.',
  };
  const detail = `input_file_id: ${id} has the purpose ${JSON.stringify(purpose)}, and not "batch".`;
  return new MillraceError('INVALID_REQUEST', detail, { problems: [problem] });
}

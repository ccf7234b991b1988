import { MillraceError } from '@millrace/shared/errors';
import type { Metrics } from '@millrace/shared/metrics';
import type { Run, RunChanges, RunCursor, RunPart } from '@millrace/shared/redis/run-record';
import type { Runs, RunWritten } from '@millrace/shared/redis/runs';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import { partName } from '../files/file-ids.ts';
import type { FileStore } from '../files/file-store.ts';
import { Interruption } from './interruption.ts';
import { answerLine, expiredLine, failureLine } from './line-answer.ts';
import type { RunLine } from './run-line.ts';
import type { LineOutcome, Unit } from './unit.ts';
import type { Window } from './window.ts';

interface OutputWriterParams {
  readonly store: FileStore;
  readonly runs: Runs;
  readonly metrics: Metrics;
  readonly run: Run;
  readonly holder: string;
  /** Names the parts of this process apart from those of others. */
  readonly writer: string;
  /** How many parts there are already. */
  readonly parts: number;
  readonly window: Window;
  /** Items that are written together at most. */
  readonly mostItems: number;
  /** Whether the lines whose turn never came are told as expired, or left out. */
  readonly tellsUndone: boolean;
  /** Forgets tasks whose outcome is safe. */
  readonly forget: (refs: readonly TaskRef[]) => Promise<void>;
  readonly now: () => number;
}

/** Characters of output that are written together. */
const fullAt = 2 * 2 ** 20;
/** How long an outcome waits for company, in ms: a second at first and longer the more parts there are, so that a long run has few. */
const dueAfterMs = (parts: number) => 1000 + 20 * parts;
/** How much a new measurement of the speed counts beside those before. */
const speedShare = 0.3;

/** What has come since the last part. */
class Pending {
  readonly output: string[] = [];
  readonly errors: string[] = [];
  readonly units: Unit[] = [];
  readonly refs: TaskRef[] = [];
  end: RunCursor | undefined;
  characters = 0;
  items = 0;
  completed = 0;
  failed = 0;
  tokens = 0;
  readonly outcomes = { succeeded: 0, failed: 0, undone: 0 };
}

/**
 * Writes what became of the lines, in order, part after part. A part is stored first; then the run's cursor and counts move with
 * one step of Redis, if the run is still this process's; then the window has room again. So whatever is counted is safe, and
 * what is not is computed or read again by whoever drives the run next.
 */
export class OutputWriter {
  private readonly params: OutputWriterParams;
  private pending = new Pending();
  private counts: Pick<Run, 'completed' | 'failed' | 'inputTokens' | 'linesPerSecond'>;
  private parts: number;
  private committedAt: number;
  private dueTimer: NodeJS.Timeout | undefined;
  private duePromise: Promise<void> | undefined;
  private forgetting: Promise<void> = Promise.resolve();

  constructor(params: OutputWriterParams) {
    this.params = params;
    const { completed, failed, inputTokens, linesPerSecond } = params.run;
    this.counts = { completed, failed, inputTokens, linesPerSecond };
    this.parts = params.parts;
    this.committedAt = params.now();
  }

  get isFull(): boolean {
    return this.pending.characters >= fullAt || this.pending.items >= this.params.mostItems;
  }

  /** Resolves when what has come should wait no longer. */
  get due(): Promise<void> {
    this.duePromise ??= new Promise((resolve) => {
      if (this.pending.units.length > 0) this.dueTimer = setTimeout(resolve, dueAfterMs(this.parts));
    });
    return this.duePromise;
  }

  /** Takes the outcomes of the unit that is next. */
  take(unit: Unit, outcomes: readonly LineOutcome[], refs: readonly TaskRef[]): void {
    if (this.pending.units.length === 0) this.clearDue();
    const { pending } = this;
    unit.lines.forEach((line, index) => {
      this.takeLine(line, outcomes[index] ?? { kind: 'undone' });
    });
    pending.units.push(unit);
    for (const ref of refs) pending.refs.push(ref);
    pending.items += unit.items;
    pending.end = unit.end;
  }

  /** Makes what was taken safe. @throws Interruption when the run is another's, MillraceError STORAGE_FULL and the like. */
  async commit(): Promise<void> {
    const { pending } = this;
    this.clearDue();
    if (pending.end === undefined) return;
    const part = await this.store(pending);
    const changes = this.changes(pending, pending.end);
    const { runs, run, holder, window } = this.params;
    refuseLost(run.id, await runs.write(run.id, { holder, changes, ...(part === undefined ? {} : { part }) }));
    this.parts += part === undefined ? 0 : 1;
    this.pending = new Pending();
    this.count(pending);
    for (const unit of pending.units) window.leave(unit);
    await this.forgetting;
    // What is not forgotten now is swept when its time is over.
    this.forgetting = this.params.forget(pending.refs).catch(() => {});
  }

  /** Must be called in the end; what was not committed is as if it had not come. */
  async close(): Promise<void> {
    this.clearDue();
    await this.forgetting;
  }

  private count({ outcomes }: Pending): void {
    const { metrics, run } = this.params;
    for (const [outcome, lines] of Object.entries(outcomes)) {
      if (lines > 0) metrics.count('millrace_run_lines_total', { endpoint: run.endpoint, outcome }, lines);
    }
  }

  private takeLine(line: RunLine, outcome: LineOutcome): void {
    const { pending } = this;
    pending.outcomes[outcome.kind] += 1;
    const put = (texts: string[], text: string) => {
      texts.push(text);
      pending.characters += text.length;
    };
    switch (outcome.kind) {
      case 'succeeded':
        put(pending.output, answerLine(line, outcome.body));
        pending.completed += 1;
        pending.tokens += outcome.tokens;
        return;
      case 'failed':
        put(pending.errors, failureLine(line, outcome.error));
        pending.failed += 1;
        return;
      case 'undone':
        if (!this.params.tellsUndone) return;
        put(pending.errors, expiredLine(line));
        pending.failed += 1;
    }
  }

  private async store({ output, errors }: Pending): Promise<RunPart | undefined> {
    if (output.length === 0 && errors.length === 0) return undefined;
    const { store, run, writer } = this.params;
    const place = { number: this.parts, writer };
    const put = async (kind: 'out' | 'err', texts: readonly string[]) => {
      const name = partName(run.id, kind, place);
      await store.put(name, bytesOf(texts));
      return name;
    };
    return {
      ...(output.length === 0 ? {} : { output: await put('out', output) }),
      ...(errors.length === 0 ? {} : { errors: await put('err', errors) }),
    };
  }

  private changes({ completed, failed, tokens }: Pending, cursor: RunCursor): RunChanges {
    const now = this.params.now();
    const speed = ((completed + failed) * 1000) / Math.max(1, now - this.committedAt);
    const before = this.counts.linesPerSecond ?? speed;
    this.counts = {
      completed: this.counts.completed + completed,
      failed: this.counts.failed + failed,
      inputTokens: this.counts.inputTokens + tokens,
      linesPerSecond: Math.round((before + speedShare * (speed - before)) * 100) / 100,
    };
    this.committedAt = now;
    return { ...this.counts, cursor, faults: 0, blocked: null };
  }

  private clearDue(): void {
    clearTimeout(this.dueTimer);
    this.duePromise = undefined;
  }
}

/** @throws Interruption, MillraceError RUN_NOT_FOUND. */
export function refuseLost(runId: string, written: RunWritten): void {
  if (written === 'lost') throw new Interruption('lost');
  if (written !== 'written') throw new MillraceError('RUN_NOT_FOUND', `The run ${runId} is ${written}.`);
}

/** Some texts a piece, so that no copy of all is made. */
async function* bytesOf(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  const atOnce = 64;
  for (let start = 0; start < texts.length; start += atOnce) {
    yield Buffer.from(texts.slice(start, start + atOnce).join(''));
  }
}

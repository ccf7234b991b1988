import { toMillraceError } from '@millrace/shared/errors';
import type { Family } from '@millrace/shared/tasks/task';
import { count, perSecond, plural, time } from './amounts.ts';
import { errorText, exitCodeOf } from './error-text.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { FileFlags } from './file-flags.ts';
import { draftPathOf } from './flow/draft-output.ts';
import { FileRun } from './flow/file-run.ts';
import { type InputSource, openSource } from './flow/input-source.ts';
import type { RunOptions } from './flow/ledger.ts';
import { openProgress, type Progress, silentProgress } from './flow/progress.ts';
import type { Recipe } from './flow/recipe.ts';
import { type OpenMill, patientMs, withMill } from './open-mill.ts';
import { chooseOutput, type OpenOutput, openOutput } from './open-output.ts';
import type { RecordReader } from './readers/record-reader.ts';
import { Interrupted, Refusal } from './refusal.ts';
import type { Shell } from './shell.ts';

/** What a command makes of a file. */
export interface FileWork<Item> {
  readonly file: string;
  readonly flags: FileFlags;
  readonly reader: RecordReader;
  readonly recipe: Recipe<Item>;
  /** What has to be the same when a run is continued. */
  readonly options: RunOptions;
  /** Tasks under way at once, by the number of lanes that could compute them. */
  readonly inFlight: (lanes: number) => number;
  readonly familyOf: (open: OpenMill) => Promise<Family>;
}

/** Takes a file through the mill, and says what came of it. */
export async function runFile<Item>(shell: Shell, work: FileWork<Item>): Promise<ExitCode> {
  const { file, flags } = work;
  const chosen = chooseOutput({ file, flags, out: shell.out });
  const source = await openSource(file, shell.in);
  return await withMill(
    flags,
    async (open) => {
      const family = await work.familyOf(open);
      const lanes = (await open.workersNow()).flatMap((worker) =>
        worker.lanes.filter((lane) => lane.family === family),
      );
      let progress: Progress = silentProgress(shell.err);
      const say = (text: string) => progress.say(text);
      const opened = await openOutput({ chosen, flags, options: work.options, out: shell.out, say });
      if (flags.resume === true) note(flags, say, beginningText(opened));
      if (flags.quiet !== true && flags.json !== true) progress = progressOf(shell, source, work);
      if (lanes.length === 0) note(flags, say, `No worker for ${family} runs: the tasks wait until one starts.`);
      try {
        return await new FileRunning({
          shell,
          work,
          source,
          open,
          opened,
          progress,
          family,
          lanes: lanes.length,
        }).run();
      } finally {
        progress.stop();
        await opened.close();
      }
    },
    patientMs,
  );
}

function progressOf<Item>({ err }: Shell, { name, size }: InputSource, { reader: { unit } }: FileWork<Item>): Progress {
  return openProgress({ name, unit, size, err, now: () => performance.now() });
}

function beginningText({ begun }: OpenOutput): string {
  if (begun === undefined) return 'Nothing to continue: beginning with the first line.';
  return `Going on behind ${plural(begun.records, 'record')}.`;
}

/** Says something beside what failed: as JSON where a program reads along. */
function note({ json }: FileFlags, say: (text: string) => void, text: string): void {
  say(json === true ? JSON.stringify({ note: text }) : text);
}

interface RunningParams<Item> {
  readonly shell: Shell;
  readonly work: FileWork<Item>;
  readonly source: InputSource;
  readonly open: OpenMill;
  readonly opened: OpenOutput;
  readonly progress: Progress;
  readonly family: Family;
  readonly lanes: number;
}

const stoppingText = 'Stopping: waiting for the tasks that are under way. Ctrl-C again leaves at once.';

/** A run and what Ctrl-C does to it. */
class FileRunning<Item> {
  private readonly params: RunningParams<Item>;
  private readonly feed = new AbortController();
  private readonly cancel = new AbortController();
  private readonly fileRun: FileRun<Item>;
  private readonly beganAt = performance.now();

  constructor(params: RunningParams<Item>) {
    this.params = params;
    const { work, source, open, opened, progress, family, lanes } = params;
    const { priority, inFlight, patience } = work.flags;
    this.fileRun = new FileRun({
      ...opened,
      mill: open.mill,
      family,
      source,
      reader: work.reader,
      recipe: work.recipe,
      progress,
      sending: { priority, inFlight: inFlight ?? work.inFlight(lanes), patienceMs: patience },
      stopped: this.feed.signal,
      cancelled: this.cancel.signal,
    });
  }

  async run(): Promise<ExitCode> {
    const { signal } = this.params.shell.interrupts;
    const stop = () => this.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) this.stop();
    try {
      await this.fileRun.run();
    } catch (error) {
      throw this.explained(error);
    } finally {
      signal.removeEventListener('abort', stop);
      // Whatever still reads is to end.
      this.feed.abort();
    }
    return this.tell(signal.aborted);
  }

  private stop(): void {
    const { work, progress } = this.params;
    this.feed.abort();
    if (work.flags.onInterrupt === 'cancel') this.cancel.abort(new Interrupted());
    else note(work.flags, (text) => progress.say(text), stoppingText);
  }

  /** The error with what is safe, and how to go on. */
  private explained(error: unknown): Refusal {
    const { opened, work } = this.params;
    const isInterrupt = error instanceof Interrupted;
    const before = isInterrupt ? 'Stopped.' : errorText(error);
    const code = exitCodeOf(error);
    // Unless nothing could be done, it broke off.
    const exitCode = code === exitCodes.failed ? exitCodes.brokenOff : code;
    const { records } = this.fileRun.done;
    const isKept = opened.ledger !== undefined && exitCode !== exitCodes.usage && records > 0;
    const after = isKept
      ? ` ${plural(records, 'record')} ${records === 1 ? 'is' : 'are'} safe in ${draftPathOf(work.flags.output ?? '')}: go on with the same command and --resume.`
      : '';
    return new Refusal(`${before}${after}`, exitCode, error instanceof Refusal ? error.cause : toMillraceError(error));
  }

  private tell(isStopped: boolean): ExitCode {
    const { shell, work, opened, progress } = this.params;
    progress.stop();
    const { done } = this.fileRun;
    const seconds = (performance.now() - this.beganAt) / 1000;
    const fresh = done.records - (opened.begun?.records ?? 0);
    if (work.flags.json === true) {
      const { failed, truncated, records, maker } = done;
      const facts = { records, rows: records - failed, failed, truncated, model: maker, stopped: isStopped };
      const line = JSON.stringify({
        ...facts,
        seconds: round(seconds),
        perSecond: round(fresh / seconds),
        output: opened.output.shown,
      });
      // Stdout may be where the rows are.
      (opened.ledger === undefined ? shell.err : shell.out).line(line);
    } else {
      const speed = `${plural(fresh, work.reader.unit)} in ${time(seconds * 1000)} (${perSecond(fresh / seconds)})`;
      shell.err.line(`${isStopped ? 'Stopped after ' : ''}${speed}: ${this.words(isStopped)}`);
    }
    if (isStopped) return exitCodes.interrupted;
    return done.failed > 0 ? exitCodes.failed : exitCodes.fine;
  }

  private words(isStopped: boolean): string {
    const { opened, work } = this.params;
    const { records, failed, truncated } = this.fileRun.done;
    const isKept = isStopped && opened.ledger !== undefined && records > 0;
    const where = isKept ? draftPathOf(opened.output.shown) : opened.output.shown;
    const parts = [`${plural(records - failed, 'row')} in ${where}`];
    if (failed > 0)
      parts.push(`${count(failed)} failed${work.flags.errors === undefined ? '' : ` (${work.flags.errors})`}`);
    if (truncated > 0) parts.push(`${plural(truncated, 'text')} longer than the model reads, and cut`);
    const next = isKept ? ' Go on with the same command and --resume.' : '';
    return `${parts.join(', ')}.${next}`;
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

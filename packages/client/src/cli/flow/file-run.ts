import type { Family } from '@millrace/shared/tasks/task';
import { exitCodes } from '../exit-codes.ts';
import type { LineFault } from '../line-fault.ts';
import type { AnyMill } from '../open-mill.ts';
import type { Priority } from '../option-values.ts';
import type { RecordReader } from '../readers/record-reader.ts';
import { Refusal } from '../refusal.ts';
import type { Row, RowFormat, SettledRecord } from '../writers/row-format.ts';
import type { FaultSink, FaultyLine } from './fault-sink.ts';
import type { InputSource } from './input-source.ts';
import type { Done, Ledger } from './ledger.ts';
import { MillWatch } from './mill-watch.ts';
import { type Part, partsOf } from './parts.ts';
import type { Progress } from './progress.ts';
import type { Recipe } from './recipe.ts';
import type { RowOutput } from './row-output.ts';
import { SavePoints } from './save-points.ts';
import { TaskFlow } from './task-flow.ts';

/** How the tasks of a run are sent. */
export interface Sending {
  readonly priority: Priority;
  /** Tasks under way at once. */
  readonly inFlight: number;
  /** How long the mill may be away, or full, in ms. */
  readonly patienceMs: number;
}

export interface FileRunParams<Item> {
  readonly mill: AnyMill;
  readonly family: Family;
  readonly source: InputSource;
  readonly reader: RecordReader;
  readonly recipe: Recipe<Item>;
  readonly format: RowFormat;
  readonly output: RowOutput;
  readonly faults: FaultSink;
  /** Undefined for an output that cannot be continued. */
  readonly ledger: Ledger | undefined;
  /** Where another run had stopped. */
  readonly begun: Done | undefined;
  readonly sending: Sending;
  readonly progress: Progress;
  /** No more is fed; what is under way is waited for. */
  readonly stopped: AbortSignal;
  /** Ends it at once: what is under way is cancelled. */
  readonly cancelled: AbortSignal;
}

/**
 * Results are read as soon as they are there, so they need not be kept for long: a whole corpus of vectors would fill Redis. One that is
 * gone is computed again.
 */
export const resultTtlMs = 120_000;
/** Low work may wait for as long as others have more urgent work. */
const taskWaitMs = 86_400_000;

/** How far a run has come. */
const nothingDone: Done = {
  records: 0,
  end: 0,
  digest: '',
  outputBytes: 0,
  faultBytes: 0,
  format: { rows: 0, dimensions: undefined },
  failed: 0,
  truncated: 0,
  maker: null,
};

/** A file through the mill: rows in the order of its records, faults beside them, and a ledger that says how far it is. */
export class FileRun<Item> {
  private readonly params: FileRunParams<Item>;
  private readonly broken = new AbortController();
  private readonly watch: MillWatch;
  private readonly saves: SavePoints;
  done: Done;

  constructor(params: FileRunParams<Item>) {
    this.params = params;
    this.done = params.begun ?? nothingDone;
    const { mill, family, progress, sending } = params;
    this.saves = new SavePoints({
      save: (done) => this.save(done),
      onFailure: (error) => this.broken.abort(error),
      now: () => performance.now(),
    });
    this.watch = new MillWatch({
      mill,
      family,
      patienceMs: sending.patienceMs,
      onHold: (reason) => progress.hold(reason),
      onGone: (error) => this.broken.abort(error),
      now: () => performance.now(),
    });
  }

  /** Resolves when all is written, or `stopped` ended it early. @throws what breaks it off; then what is in the ledger lasts. */
  async run(): Promise<void> {
    const { ledger, begun, stopped, output, format } = this.params;
    try {
      if (begun === undefined) await ledger?.write(this.done);
      await this.flow().run();
      if (stopped.aborted) return await this.keep();
      await this.saves.close();
      await this.params.faults.sync();
      await output.finish(format.finalHead());
      await ledger?.remove();
    } catch (error) {
      // What is whole need not be done again; on a full disk the page before this one stands.
      await this.keep().catch(() => {});
      throw error;
    } finally {
      this.watch.close();
      ledger?.close();
    }
  }

  private flow(): TaskFlow<Item> {
    const { mill, recipe, source, reader, begun, stopped, cancelled, sending } = this.params;
    const { priority, inFlight, patienceMs } = sending;
    const signal = AbortSignal.any([cancelled, this.broken.signal]);
    return new TaskFlow({
      mill,
      recipe,
      parts: partsOf({ source, reader, recipe, begun, stopped }),
      options: { priority, inFlight, resultTtlMs, waitMs: taskWaitMs, waitForRoomMs: patienceMs, signal },
      settle: (part, rows, maker) => this.settle(part, rows, maker),
    });
  }

  private async settle(part: Part<Item>, rows: readonly (Row | LineFault)[], maker: string | undefined): Promise<void> {
    const { output, format, faults, progress } = this.params;
    this.checkMaker(maker);
    const { settled, faulty, truncated } = together(part, rows);
    const bytes = format.encode(settled);
    if (bytes.length > 0) await output.write(bytes);
    if (faulty.length > 0) await faults.add(faulty);
    this.done = {
      records: this.done.records + settled.length,
      end: part.end,
      digest: part.digest,
      outputBytes: output.bytes,
      faultBytes: faults.bytes,
      format: format.state,
      failed: this.done.failed + faulty.length,
      truncated: this.done.truncated + truncated,
      maker: maker ?? this.done.maker,
    };
    this.watch.heard();
    progress.update({ records: this.done.records, bytes: part.end, failed: this.done.failed });
    await this.saves.note(this.done);
  }

  private async save(done: Done): Promise<void> {
    const { output, faults, ledger } = this.params;
    await output.sync();
    await faults.sync();
    await ledger?.write(done);
  }

  /** For whoever goes on; when nothing was done, whoever begins again finds nothing in the way. */
  private async keep(): Promise<void> {
    if (this.done.records > 0) await this.saves.save(this.done);
    await this.saves.close();
    if (this.done.records > 0) return;
    await this.params.output.discard();
    await this.params.ledger?.remove();
  }

  /** Vectors of two models in one file are worth nothing. */
  private checkMaker(maker: string | undefined): void {
    const before = this.done.maker;
    if (maker === undefined || before === null || before === maker) return;
    throw new Refusal(
      `The rows so far are by ${before}, the next by ${maker}: the workers' model has changed; begin again with --restart.`,
      exitCodes.brokenOff,
    );
  }
}

/** The records of a part with what became of them, in order. */
function together<Item>(part: Part<Item>, rows: readonly (Row | LineFault)[]) {
  const settled: SettledRecord[] = [];
  const faulty: FaultyLine[] = [];
  let truncated = 0;
  let place = 0;
  for (const { index, line, id, read } of part.records) {
    let outcome: Row | LineFault | undefined;
    if ('item' in read) {
      outcome = rows[place];
      place += 1;
    } else outcome = read;
    if (outcome === undefined) throw new Error(`no outcome for line ${line}`);
    settled.push({ index, id, outcome });
    if ('code' in outcome) faulty.push({ line, code: outcome.code, message: outcome.message });
    else if (outcome.fields['truncated'] === true) truncated += 1;
  }
  return { settled, faulty, truncated };
}

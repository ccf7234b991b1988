import { createWriteStream, existsSync, realpathSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import type { FileFlags } from './file-flags.ts';
import { DraftOutput, draftPathOf } from './flow/draft-output.ts';
import { FaultFile, FaultLines, type FaultSink } from './flow/fault-sink.ts';
import { type Done, Ledger, type RunOptions } from './flow/ledger.ts';
import type { RowOutput } from './flow/row-output.ts';
import { StreamOutput } from './flow/stream-output.ts';
import { Refusal } from './refusal.ts';
import type { TextSink } from './shell.ts';
import { emptyState, type OutputFormat, openFormat, outputFormatOf } from './writers/open-format.ts';
import type { RowFormat } from './writers/row-format.ts';

/** Where the rows and faults of a run go, and where it begins. */
export interface OpenOutput {
  readonly output: RowOutput;
  readonly format: RowFormat;
  readonly faults: FaultSink;
  /** Undefined for an output that cannot be continued. */
  readonly ledger: Ledger | undefined;
  readonly begun: Done | undefined;
  close(): Promise<void>;
}

interface OutputPlaces {
  readonly file: string;
  readonly flags: FileFlags;
  readonly out: TextSink;
}

/** Where the rows are to go, once that makes sense. */
export interface ChosenOutput {
  /** Undefined for stdout. */
  readonly target: string | undefined;
  readonly format: OutputFormat;
  /** Whether it becomes a file, which can be continued. */
  readonly isFile: boolean;
}

/** @throws Refusal for options that do not go together; nothing is touched yet. */
export function chooseOutput({ file, flags, out }: OutputPlaces): ChosenOutput {
  const target = flags.output === '-' ? undefined : flags.output;
  refuseSameFiles([file, target, flags.errors]);
  const format = flags.format ?? (target === undefined ? 'jsonl' : outputFormatOf(target));
  const facts = target === undefined ? undefined : factsOf(target);
  if (facts?.isDirectory() === true) throw new Refusal(`${target} is a folder: name a file.`);
  const isFile = target !== undefined && (facts === undefined || facts.isFile());
  if (!isFile) refuseForStreams(flags, { format, isTerminal: target === undefined && out.isTerminal });
  if (flags.resume === true && flags.restart === true) {
    throw new Refusal('--resume and --restart exclude each other: give one of them.');
  }
  return { target, format, isFile };
}

interface OutputParams {
  readonly chosen: ChosenOutput;
  readonly flags: FileFlags;
  /** What has to be the same when it is continued. */
  readonly options: RunOptions;
  readonly out: TextSink;
  /** Says that a line failed, when no file is for that. */
  readonly say: (text: string) => void;
}

/** @throws Refusal for an output that cannot be written, or that another run left half done. */
export async function openOutput(params: OutputParams): Promise<OpenOutput> {
  const { chosen, flags, options } = params;
  const { target, format, isFile } = chosen;
  const ledger =
    isFile && target !== undefined ? new Ledger(draftPathOf(target), withOutput(options, chosen, flags)) : undefined;
  const begun = ledger === undefined ? undefined : await beginning(ledger, target ?? '', flags);
  const output = await openRows(params, begun);
  const faults = await openFaults(params, begun).catch(async (error) => {
    await output.close();
    throw error;
  });
  return {
    output,
    faults,
    ledger,
    begun,
    format: openFormat(format, begun?.format ?? emptyState),
    async close() {
      ledger?.close();
      await output.close();
      await faults.close();
    },
  };
}

/** Rows and faults go on together, or not at all. */
function withOutput(options: RunOptions, { format }: ChosenOutput, { errors }: FileFlags): RunOptions {
  return { ...options, '--format': format, ...(errors === undefined ? {} : { '--errors': path.resolve(errors) }) };
}

async function openRows(
  { chosen: { target, isFile }, out }: OutputParams,
  begun: Done | undefined,
): Promise<RowOutput> {
  if (target === undefined) return new StreamOutput(out.stream, 'stdout');
  if (isFile) return await DraftOutput.open(target, begun?.outputBytes ?? 0);
  return new StreamOutput(createWriteStream(target), target);
}

async function openFaults({ flags, say }: OutputParams, begun: Done | undefined): Promise<FaultSink> {
  return flags.errors === undefined
    ? new FaultLines(say, { asJson: flags.json === true })
    : await FaultFile.open(flags.errors, begun?.faultBytes ?? 0);
}

/** Where another run had stopped, if it is to be continued. */
async function beginning(ledger: Ledger, target: string, { resume, restart }: FileFlags): Promise<Done | undefined> {
  if (resume === true && restart === true)
    throw new Refusal('--resume and --restart exclude each other: give one of them.');
  const draft = draftPathOf(target);
  await ledger.refuseIfRunning();
  if (restart === true) {
    await ledger.remove();
    return undefined;
  }
  if (resume === true) return existsSync(draft) ? await ledger.read() : undefined;
  if (!existsSync(draft)) return undefined;
  throw new Refusal(`${draft} is left of a run that stopped: go on with --resume, or begin again with --restart.`);
}

function refuseForStreams(
  { resume, restart }: FileFlags,
  { format, isTerminal }: { format: OutputFormat; isTerminal: boolean },
): void {
  if (resume === true || restart === true) {
    throw new Refusal('--resume and --restart need a file that can be continued: name it with -o.');
  }
  if (format === 'npy') {
    throw new Refusal('.npy says at its beginning how long it is, so it needs a file: name it with -o.');
  }
  if (format === 'raw' && isTerminal) {
    throw new Refusal('Raw numbers are nothing for a terminal: name a file with -o, or send them to another program.');
  }
}

function factsOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/** What is read must not be written over. */
function refuseSameFiles(paths: readonly (string | undefined)[]): void {
  const real = paths.flatMap((path) =>
    path === undefined || path === '-' || !existsSync(path) ? [] : [realpathSync(path)],
  );
  const twice = real.find((path, index) => real.indexOf(path) !== index && statSync(path).isFile());
  if (twice !== undefined)
    throw new Refusal(`${twice} is named twice: input, output and errors have to be different files.`);
}

import { readFileSync } from 'node:fs';
import { open, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { exitCodes } from '../exit-codes.ts';
import { Refusal } from '../refusal.ts';
import type { FormatState } from '../writers/row-format.ts';
import { writeFailure } from './write-failure.ts';

/** How far a run is: everything up to here is on the disk. */
export interface Done {
  readonly records: number;
  /** Bytes of the input, and their SHA-256. */
  readonly end: number;
  readonly digest: string;
  readonly outputBytes: number;
  readonly faultBytes: number;
  readonly format: FormatState;
  readonly failed: number;
  readonly truncated: number;
  /** The model of the rows, if it is known. */
  readonly maker: string | null;
}

/** What has to be the same when a run is continued, by the options that say it. */
export type RunOptions = Readonly<Record<string, string>>;

interface Page {
  readonly version: 1;
  readonly options: RunOptions;
  readonly done: Done;
  readonly process: { readonly pid: number; readonly host: string };
}

const version = 1;
/** A run that goes on says so this often, and one that has not for longer has ended; ms. */
const beatEveryMs = 5000;
const silentAfterMs = 30_000;

/** A small file beside a draft that says how far it is, so that `--resume` goes on there. It is replaced whole, never changed. */
export class Ledger {
  readonly path: string;
  private readonly options: RunOptions;
  private beat: NodeJS.Timeout | undefined;

  constructor(draft: string, options: RunOptions) {
    this.path = `${draft}.json`;
    this.options = options;
  }

  /**
   * Where to go on; undefined when nothing was begun.
   * @throws Refusal when it was begun with other options, or is still going on.
   */
  async read(): Promise<Done | undefined> {
    const page = this.load();
    if (page === undefined) return undefined;
    await this.refuseIfRunning(page);
    for (const [option, now] of Object.entries({ ...page.options, ...this.options })) {
      const then = page.options[option];
      if (then === this.options[option]) continue;
      throw new Refusal(
        `The run to continue was begun with ${said(option, then)}, not ${said(option, this.options[option] === undefined ? undefined : now)}: use the same options, or begin again with --restart.`,
      );
    }
    return page.done;
  }

  /** Whether another process is at it. @throws Refusal if so. */
  async refuseIfRunning(page: Page | undefined = this.load()): Promise<void> {
    if (page === undefined || page.process.host !== hostname() || page.process.pid === process.pid) return;
    const { mtimeMs } = await stat(this.path);
    if (Date.now() - mtimeMs > silentAfterMs || !isAlive(page.process.pid)) return;
    throw new Refusal(`Process ${page.process.pid} is writing the same output: wait for it, or end it, and try again.`);
  }

  /** @throws Refusal when it cannot be written. */
  async write(done: Done): Promise<void> {
    const page: Page = { version, options: this.options, done, process: { pid: process.pid, host: hostname() } };
    const next = `${this.path}.new`;
    try {
      const file = await open(next, 'w');
      try {
        await file.writeFile(`${JSON.stringify(page)}\n`);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(next, this.path);
    } catch (error) {
      throw writeFailure(this.path, error);
    }
    this.beat ??= setInterval(
      () => void utimes(this.path, new Date(), new Date()).catch(() => {}),
      beatEveryMs,
    ).unref();
  }

  /** The run is complete, or begins again. */
  async remove(): Promise<void> {
    this.close();
    await rm(this.path, { force: true });
    await rm(`${this.path}.new`, { force: true });
  }

  close(): void {
    clearInterval(this.beat);
    this.beat = undefined;
  }

  private load(): Page | undefined {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new Refusal(`${this.path} cannot be read: ${(error as Error).message}.`, exitCodes.usage, error);
    }
    const page = parsed(text);
    if (page?.version === version) return page;
    throw new Refusal(`${this.path} is not of this version of millrace: begin again with --restart.`);
  }
}

function parsed(text: string): Page | undefined {
  try {
    return JSON.parse(text) as Page;
  } catch {
    return undefined;
  }
}

function said(option: string, value: string | undefined): string {
  return value === undefined ? `no ${option}` : `${option} ${value}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

import { clearScreenDown, cursorTo } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { toMillraceError } from '@millrace/shared/errors';
import type { QueueReport } from '@millrace/shared/redis/queue-report';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Command } from 'commander';
import { CallRates } from './call-rates.ts';
import { type Cli, type CommonFlags, withCommonOptions } from './cli.ts';
import { errorText } from './error-text.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { examples } from './help-examples.ts';
import { type OpenMill, withMill } from './open-mill.ts';
import { duration } from './option-values.ts';
import { queueTable } from './queue-table.ts';
import type { Shell, TextSink } from './shell.ts';
import { workerTable } from './worker-table.ts';

interface WatchFlags extends CommonFlags {
  readonly interval: number;
  readonly once?: boolean;
}

/** What is seen of a mill at a moment. */
interface Look {
  /** ms since 1970. */
  readonly at: number;
  readonly queues: readonly QueueReport[];
  readonly workers: readonly WorkerBeat[];
}

const helpExamples = examples([
  ['millrace watch', 'a live table'],
  [`millrace watch --json --interval 10s | jq -c '.queues[] | {family, counts}'`, 'a line of JSON every ten seconds'],
  ['millrace watch --once', 'one table, e.g. for a log'],
]);

/** `millrace watch` */
export function addWatch(program: Command, cli: Cli): void {
  const command = program
    .command('watch')
    .description('Shows queues, workers and rates, every second anew, until Ctrl-C.')
    .option('--interval <time>', 'how often', duration, 1000)
    .option('--once', 'only once');
  withCommonOptions(command)
    .addHelpText('after', helpExamples)
    .action(cli.action((flags: WatchFlags) => withMill(flags, (open) => watch(cli.shell, open, flags))));
}

async function watch({ out, interrupts: { signal } }: Shell, open: OpenMill, flags: WatchFlags): Promise<ExitCode> {
  // Whoever is not there in the beginning is not waited for.
  await open.workersNow();
  const screen = new Screen(out, flags);
  for (;;) {
    try {
      screen.show(await lookAt(open, signal));
    } catch (error) {
      if (signal.aborted) return exitCodes.fine;
      if (flags.once === true) throw error;
      screen.complain(error);
    }
    if (flags.once === true) return exitCodes.fine;
    await pause(flags.interval, undefined, { signal }).catch(() => {});
    // The way this command ends.
    if (signal.aborted) return exitCodes.fine;
  }
}

async function lookAt({ mill }: OpenMill, signal: AbortSignal): Promise<Look> {
  const [queues, workers] = await Promise.all([mill.queues({ signal }), mill.workers({ signal })]);
  return { at: Date.now(), queues, workers };
}

/** Draws one look over the other on a terminal, else one below the other. */
class Screen {
  private readonly out: TextSink;
  private readonly flags: WatchFlags;
  private readonly isLive: boolean;
  private readonly rates = new CallRates();
  private drawn = 0;

  constructor(out: TextSink, flags: WatchFlags) {
    this.out = out;
    this.flags = flags;
    this.isLive = out.isTerminal && flags.once !== true && flags.json !== true;
  }

  show(look: Look): void {
    if (this.flags.json === true) {
      this.out.line(JSON.stringify({ ...look, at: new Date(look.at).toISOString() }));
      return;
    }
    this.rates.note(look.workers);
    const head = this.isLive
      ? `${this.out.colors.dim(`${new Date(look.at).toLocaleTimeString()}  Ctrl-C ends`)}\n\n`
      : '';
    const workers = workerTable({ workers: look.workers, rates: this.rates.perSecond, now: look.at }, this.out);
    this.draw(`${head}${queueTable(look.queues, this.out)}\n\n${workers}`);
  }

  complain(error: unknown): void {
    if (this.flags.json === true)
      this.out.line(JSON.stringify({ at: new Date().toISOString(), error: toMillraceError(error).code }));
    else this.draw(this.out.colors.red(errorText(error)));
  }

  private draw(text: string): void {
    const { stream } = this.out;
    if (this.isLive) {
      // The whole screen the first time, then over what stands there: nothing flickers.
      cursorTo(stream, 0, 0);
      if (this.drawn === 0) clearScreenDown(stream);
      const lines = text.split('\n').map((line) => `${line}\u001b[K`);
      stream.write(`${lines.join('\n')}\n`);
      clearScreenDown(stream);
    } else this.out.line(this.drawn === 0 ? text : `\n${text}`);
    this.drawn += 1;
  }
}

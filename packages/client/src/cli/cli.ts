import type { Command } from 'commander';
import { errorText, exitCodeOf, reportOf } from './error-text.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { MillFlags } from './mill-address.ts';
import type { Shell } from './shell.ts';

/** What every command that speaks to a mill understands. */
export interface CommonFlags extends MillFlags {
  readonly json?: boolean;
}

/** The commands of one call of `millrace`: runs the one that is asked for and keeps what it ends with. */
export class Cli {
  readonly shell: Shell;
  exitCode: ExitCode = exitCodes.fine;

  constructor(shell: Shell) {
    this.shell = shell;
  }

  /** An action of commander's: whatever `act` throws is said on stderr, as JSON with --json. */
  action<Args extends readonly unknown[]>(act: (...args: Args) => Promise<ExitCode>): (...args: Args) => Promise<void> {
    return async (...args) => {
      try {
        this.exitCode = await act(...args);
      } catch (error) {
        this.exitCode = this.complain(error, args.some(asksForJson));
      }
    };
  }

  /** Says what went wrong; gives what to end with. */
  complain(error: unknown, asJson: boolean): ExitCode {
    const { err } = this.shell;
    if (asJson) err.line(JSON.stringify({ error: reportOf(error) }));
    else err.line(`${err.colors.red('millrace:')} ${errorText(error)}`);
    return exitCodeOf(error);
  }
}

/** The options by which a command finds its mill, and --json. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the API of a mill, e.g. http://127.0.0.1:3000 (MILLRACE_URL; key: MILLRACE_API_KEY)')
    .option('--redis <url>', 'the Redis of a mill, e.g. redis://127.0.0.1:6379 (REDIS_URL)')
    .option('--json', 'JSON for programs instead of text for people');
}

function asksForJson(arg: unknown): boolean {
  return typeof arg === 'object' && arg !== null && 'json' in arg && arg.json === true;
}

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCancel } from './cancel.ts';
import { Cli } from './cli.ts';
import { addEmbed } from './embed.ts';
import { addEnqueue } from './enqueue.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { addExplain } from './explain.ts';
import { addGet } from './get.ts';
import { addPlan } from './plan.ts';
import { addRetry } from './retry.ts';
import { addRun } from './run.ts';
import { addSearch } from './search.ts';
import type { Shell } from './shell.ts';
import { addStatus } from './status.ts';
import { addWatch } from './watch.ts';

const commands = [
  addEmbed,
  addRun,
  addPlan,
  addEnqueue,
  addGet,
  addSearch,
  addWatch,
  addStatus,
  addExplain,
  addRetry,
  addCancel,
] as const;

const outro = `
Which mill: --url or MILLRACE_URL (with MILLRACE_API_KEY), else --redis or REDIS_URL, else the one that \`npm start\` runs in this
folder or one above. Settings are also read from .env.

Exit codes: 0 all is fine, 1 some lines or the task failed, 2 the command is wrong, 3 no mill answers, 4 a run broke off (--resume
continues it), 130 interrupted.
`;

/** Runs the command that some arguments name. Gives what to exit with. */
export async function runCommand(args: readonly string[], shell: Shell): Promise<ExitCode> {
  const cli = new Cli(shell);
  const program = createProgram(cli);
  try {
    await program.parseAsync(args, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // It has said so itself.
    return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  }
}

function createProgram(cli: Cli): Command {
  const { out, err } = cli.shell;
  const program = new Command('millrace')
    .description('Embeddings, text processing and vector search over large piles of texts.')
    .version(version(), '-V, --version', 'the version')
    .helpOption('-h, --help', 'what there is to say about it')
    .helpCommand('help [command]', 'the same of a command')
    .addHelpText('after', outro)
    .configureOutput({
      writeOut: (text) => void out.stream.write(text),
      writeErr: (text) => void err.stream.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'millrace: ')),
      getOutHasColors: () => out.isTerminal,
      getErrHasColors: () => err.isTerminal,
    })
    .showHelpAfterError('(--help says what there is)')
    .exitOverride();
  for (const add of commands) add(program, cli);
  return program;
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return text;
}

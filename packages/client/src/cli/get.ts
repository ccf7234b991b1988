import { endedStates } from '@millrace/shared/tasks/task';
import type { Command } from 'commander';
import { type Cli, type CommonFlags, withCommonOptions } from './cli.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { examples } from './help-examples.ts';
import { type OpenMill, withMill } from './open-mill.ts';
import { duration } from './option-values.ts';
import type { Shell } from './shell.ts';
import { outputJson, outputText, taskText } from './task-text.ts';

interface GetFlags extends CommonFlags {
  readonly wait?: number;
  readonly result: boolean;
}

const helpExamples = examples([
  ['millrace get i-01890a5d-ac96-774b-bcce-b302099a8057', 'as it stands'],
  ['millrace get ID --wait 5m --json | jq .result', 'its output, as soon as it is there'],
]);

/** `millrace get` */
export function addGet(program: Command, cli: Cli): void {
  const command = program
    .command('get')
    .description('Shows a task, and its output once it has succeeded.')
    .argument('<id>', 'of the task')
    .option('--wait <time>', 'wait so long for its end', duration)
    .option('--no-result', 'without the output');
  withCommonOptions(command)
    .addHelpText('after', helpExamples)
    .action(
      cli.action((id: string, flags: GetFlags) => withMill(flags, (open) => get(cli.shell, open, { id, flags }))),
    );
}

async function get(
  { out, interrupts: { signal } }: Shell,
  { mill }: OpenMill,
  { id, flags }: { id: string; flags: GetFlags },
): Promise<ExitCode> {
  const view =
    flags.wait === undefined ? await mill.get(id, { signal }) : await mill.wait(id, { timeoutMs: flags.wait, signal });
  const result =
    flags.result && view.state === 'succeeded' ? await mill.result(id, { timeoutMs: 0, signal }) : undefined;
  if (flags.json === true)
    out.line(JSON.stringify(result === undefined ? view : { ...view, result: outputJson(result) }));
  else {
    out.line(taskText(view, out));
    if (result !== undefined) out.line(`\n${outputText(result)}`);
  }
  const isBad = endedStates.includes(view.state) && view.state !== 'succeeded';
  return isBad ? exitCodes.failed : exitCodes.fine;
}

import type { Command } from 'commander';
import { type Cli, type CommonFlags, withCommonOptions } from './cli.ts';
import { eachTask } from './each-task.ts';
import { examples } from './help-examples.ts';

const helpExamples = examples([['millrace cancel ID', 'it ends as cancelled; retry begins it again']]);

/** `millrace cancel` */
export function addCancel(program: Command, cli: Cli): void {
  const command = program
    .command('cancel')
    .description('Ends tasks, whether they wait or run.')
    .argument('<ids...>', 'of the tasks');
  withCommonOptions(command)
    .addHelpText('after', helpExamples)
    .action(
      cli.action((ids: string[], flags: CommonFlags) =>
        eachTask(cli, { ids, flags, act: (mill, id, signal) => mill.cancel(id, { signal }) }),
      ),
    );
}

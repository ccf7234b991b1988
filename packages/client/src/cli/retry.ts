import type { Command } from 'commander';
import { type Cli, type CommonFlags, withCommonOptions } from './cli.ts';
import { eachTask } from './each-task.ts';
import { examples } from './help-examples.ts';

const helpExamples = examples([['millrace retry ID', 'from the beginning, with all its attempts']]);

/** `millrace retry` */
export function addRetry(program: Command, cli: Cli): void {
  const command = program
    .command('retry')
    .description('Tries tasks again that failed, expired or were cancelled.')
    .argument('<ids...>', 'of the tasks');
  withCommonOptions(command)
    .addHelpText('after', helpExamples)
    .action(
      cli.action((ids: string[], flags: CommonFlags) =>
        eachTask(cli, { ids, flags, act: (mill, id, signal) => mill.retry(id, { signal }) }),
      ),
    );
}

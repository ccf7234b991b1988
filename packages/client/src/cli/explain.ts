import type { Explanation } from '@millrace/shared/tasks/explanation';
import type { Command } from 'commander';
import { count } from './amounts.ts';
import { type Cli, type CommonFlags, withCommonOptions } from './cli.ts';
import { exitCodes } from './exit-codes.ts';
import { examples } from './help-examples.ts';
import { withMill } from './open-mill.ts';
import { listText } from './task-text.ts';

const helpExamples = examples([['millrace explain ID', 'in words, and the facts behind them']]);

/** `millrace explain` */
export function addExplain(program: Command, cli: Cli): void {
  const command = program
    .command('explain')
    .description('Says why a task waits, runs or failed: what is ahead of it, who has it, what went wrong.')
    .argument('<id>', 'of the task');
  withCommonOptions(command)
    .addHelpText('after', helpExamples)
    .action(
      cli.action((id: string, flags: CommonFlags) =>
        withMill(flags, async ({ mill }) => {
          const { out, interrupts } = cli.shell;
          const explanation = await mill.explain(id, { signal: interrupts.signal });
          out.line(flags.json === true ? JSON.stringify(explanation) : explanationText(explanation));
          return exitCodes.fine;
        }),
      ),
    );
}

function explanationText({ summary, ...facts }: Explanation): string {
  const { type, state, ahead, workers, model, holder, dueAt, waitsFor, attempt, attempts, started, stalls, error } =
    facts;
  const rows: [string, string | undefined][] = [
    ['type', type],
    ['state', `${state}${facts.paused ? ', its family is paused' : ''}`],
    [
      'ahead',
      ahead === null ? undefined : `${count(ahead.moreUrgent)} more urgent, ${count(ahead.samePriority)} as urgent`,
    ],
    [
      'workers',
      `${workers.family} of the family, ${workers.ofType} know the type${modelText(workers.withModel, model)}`,
    ],
    ['held by', holder === null ? undefined : `${holder.worker}${holder.host === null ? '' : ` on ${holder.host}`}`],
    ['due', dueAt ?? undefined],
    [
      'waits for',
      waitsFor.length === 0 ? undefined : waitsFor.map((child) => `${child.id} (${child.state ?? 'gone'})`).join(', '),
    ],
    [
      'attempt',
      `${attempt} of ${attempts}, taken ${started} times${stalls === 0 ? '' : `, back from a dead worker ${stalls} times`}`,
    ],
    ['error', error === undefined ? undefined : `${error.code}: ${error.message}`],
  ];
  return `${summary}\n\n${listText(rows)}`;
}

function modelText(withModel: number | null, model: string | null): string {
  return withModel === null || model === null ? '' : `, ${withModel} have ${model}`;
}

import type { QueueReport } from '@millrace/shared/redis/queue-report';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Command } from 'commander';
import { bytes, count, plural } from './amounts.ts';
import { type Cli, type CommonFlags, withCommonOptions } from './cli.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { examples } from './help-examples.ts';
import { type OpenMill, withMill } from './open-mill.ts';
import { queueTable } from './queue-table.ts';
import type { Shell, TextSink } from './shell.ts';
import { listText } from './task-text.ts';
import { memoryOf } from './worker-table.ts';

const helpExamples = examples([
  ['millrace status', 'the mill of `npm start`, of REDIS_URL or of MILLRACE_URL'],
  ['millrace status --url https://mill.example --json', 'another, for programs'],
]);

/** `millrace status` */
export function addStatus(program: Command, cli: Cli): void {
  const command = program
    .command('status')
    .description(
      'Says which mill this is, and how it is: exit code 0 with a worker, 1 without one, 3 if nobody answers.',
    );
  withCommonOptions(command)
    .addHelpText('after', helpExamples)
    .action(cli.action((flags: CommonFlags) => withMill(flags, (open) => status(cli.shell, open, flags))));
}

async function status(
  { out, interrupts: { signal } }: Shell,
  open: OpenMill,
  { json }: CommonFlags,
): Promise<ExitCode> {
  const workers = await open.workersNow();
  const { mill, address } = open;
  const [queues, collections] = await Promise.all([mill.queues({ signal }), mill.collections({ signal })]);
  const facts = { way: address.way, address: address.shown, workers, queues, collections };
  out.line(json === true ? JSON.stringify(facts) : statusText({ ...facts, collections: collections.length }, out));
  return workers.length === 0 ? exitCodes.failed : exitCodes.fine;
}

interface StatusFacts {
  readonly way: string;
  readonly address: string;
  readonly workers: readonly WorkerBeat[];
  readonly queues: readonly QueueReport[];
  readonly collections: number;
}

function statusText({ way, address, workers, queues, collections }: StatusFacts, out: TextSink): string {
  const models = new Set(workers.flatMap((worker) => worker.models.map(({ name }) => name)));
  const lanes = workers.reduce((sum, worker) => sum + worker.lanes.length, 0);
  const memory = workers.reduce((sum, worker) => sum + memoryOf(worker), 0);
  const rows: [string, string | undefined][] = [
    ['mill', `${address} (${way === 'http' ? 'its API' : 'its Redis'})`],
    [
      'workers',
      workers.length === 0
        ? out.colors.yellow('none: tasks wait until one starts')
        : `${count(workers.length)} with ${plural(lanes, 'compute process', 'compute processes')}, ${bytes(memory)}`,
    ],
    ['models', models.size === 0 ? undefined : [...models].join(', ')],
    ['collections', collections === 0 ? undefined : count(collections)],
  ];
  return `${listText(rows)}\n\n${queueTable(queues, out)}`;
}

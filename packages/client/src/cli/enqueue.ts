import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EnqueueOneOptions } from '../enqueue-options.ts';
import type { Task } from '../task.ts';
import { type Cli, type CommonFlags, withCommonOptions } from './cli.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { examples } from './help-examples.ts';
import { familyOf } from './known-type.ts';
import { type OpenMill, withMill } from './open-mill.ts';
import { duration, json, oneMore, type Priority, priority, wholeNumber } from './option-values.ts';
import { Interrupted, Refusal } from './refusal.ts';
import type { Shell } from './shell.ts';
import { outputJson, outputText } from './task-text.ts';

interface EnqueueFlags extends CommonFlags {
  readonly input?: unknown;
  readonly file?: string;
  readonly priority?: Priority;
  readonly delay?: number;
  readonly expires?: number;
  readonly timeout?: number;
  readonly attempts?: number;
  readonly tag?: readonly string[];
  readonly resultTtl?: number;
  readonly idempotencyKey?: string;
  readonly detach?: boolean;
  readonly wait: number;
  readonly onInterrupt: 'leave' | 'cancel';
}

const helpExamples = examples([
  [`millrace enqueue inference.embed --input '{"texts": ["The wheel turns."]}'`, 'waits, and prints the output'],
  ['millrace enqueue text.clean --file input.json --priority high --json', 'the input from a file, the output as JSON'],
  [
    `id=$(millrace enqueue text.summarize --file input.json --detach)`,
    'only enqueues; `millrace get $id --wait 5m` waits',
  ],
]);

/** `millrace enqueue` */
export function addEnqueue(program: Command, cli: Cli): void {
  const command = program
    .command('enqueue')
    .description('Enqueues one task, waits for its end and prints its output.')
    .argument('<type>', 'the task type, e.g. text.clean')
    .option('--input <json>', 'the input', json)
    .option('-f, --file <file>', 'a file that holds the input as JSON; - for stdin')
    .option('--priority <priority>', 'critical, high, normal, low or a number; lower numbers run first', priority)
    .option('--delay <time>', 'not before that time from now', duration)
    .option('--expires <time>', 'ends as expired when it has not started by then', duration)
    .option('--timeout <time>', 'how long each computation may take', duration)
    .option('--attempts <count>', 'how often it is tried', wholeNumber(1))
    .option('--tag <tag>', 'a tag to find it by; may be given several times', oneMore)
    .option('--result-ttl <time>', 'how long its result is kept', duration)
    .option('--idempotency-key <key>', 'with the same key it never becomes a second task')
    .option('--detach', 'print its id and leave it going')
    .option('--wait <time>', 'how long to wait for its end', duration, 600_000)
    .addOption(
      new Option('--on-interrupt <what>', 'what Ctrl-C does to the task').choices(['leave', 'cancel']).default('leave'),
    );
  withCommonOptions(command)
    .addHelpText('after', helpExamples)
    .action(
      cli.action(async (type: string, flags: EnqueueFlags) => {
        const input = await inputOf(flags, cli.shell);
        return await withMill(flags, (open) => enqueue(cli.shell, { open, type, input, flags }));
      }),
    );
}

interface Enqueueing {
  readonly open: OpenMill;
  readonly type: string;
  readonly input: unknown;
  readonly flags: EnqueueFlags;
}

async function enqueue(
  { out, err, interrupts: { signal } }: Shell,
  { open, type, input, flags }: Enqueueing,
): Promise<ExitCode> {
  await familyOf(open, type);
  const task: Task = await open.mill.enqueue(type as never, input as never, optionsOf(flags, signal));
  if (flags.detach === true) {
    out.line(flags.json === true ? JSON.stringify({ id: task.id }) : task.id);
    return exitCodes.fine;
  }
  if (flags.json !== true) err.line(`Task ${task.id} is enqueued.`);
  try {
    const output = await task.result({ timeoutMs: flags.wait, signal });
    out.line(flags.json === true ? JSON.stringify({ id: task.id, output: outputJson(output) }) : outputText(output));
    return exitCodes.fine;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    if (flags.onInterrupt === 'cancel') await task.cancel();
    const what = flags.onInterrupt === 'cancel' ? 'is cancelled' : `goes on: millrace get ${task.id}`;
    throw new Refusal(`Task ${task.id} ${what}.`, exitCodes.interrupted);
  }
}

function optionsOf(flags: EnqueueFlags, signal: AbortSignal): EnqueueOneOptions {
  const given = {
    priority: flags.priority,
    delayMs: flags.delay,
    expiresInMs: flags.expires,
    timeoutMs: flags.timeout,
    attempts: flags.attempts,
    tags: flags.tag,
    resultTtlMs: flags.resultTtl,
    idempotencyKey: flags.idempotencyKey,
    signal,
  };
  // The mill checks what a person wrote, and says all that is wrong with it.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as EnqueueOneOptions;
}

/** @throws Refusal when there is no input, or two. */
async function inputOf({ input, file }: EnqueueFlags, shell: Shell): Promise<unknown> {
  if (input !== undefined && file !== undefined)
    throw new Refusal('--input and --file exclude each other: give one of them.');
  if (input !== undefined) return input;
  if (file === undefined && shell.in.isTTY === true)
    throw new Refusal('Which input? Give --input JSON or --file FILE (see --help).');
  const content = file === undefined || file === '-' ? await text(shell.in) : read(file);
  try {
    return json(content);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new Refusal(`${file ?? 'stdin'} is no input. ${error.message}`);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}): check the path.`);
  }
}

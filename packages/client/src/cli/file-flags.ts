import { type Command, Option } from 'commander';
import { type CommonFlags, withCommonOptions } from './cli.ts';
import { duration, type Priority, priority, wholeNumber } from './option-values.ts';
import { type InputFormat, inputFormats } from './readers/open-reader.ts';
import { type OutputFormat, outputFormats } from './writers/open-format.ts';

/** How the records of a file are read. */
export interface InputFlags {
  readonly inputFormat?: InputFormat;
  readonly delimiter?: string;
  readonly header: boolean;
  readonly idField?: string;
}

/** What commands that take a whole file through the mill understand. */
export interface FileFlags extends CommonFlags, InputFlags {
  readonly output?: string;
  readonly format?: OutputFormat;
  readonly errors?: string;
  readonly resume?: boolean;
  readonly restart?: boolean;
  readonly priority: Priority;
  readonly inFlight?: number;
  readonly patience: number;
  readonly onInterrupt: 'finish' | 'cancel';
  readonly quiet?: boolean;
}

export function withInputOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--input-format <format>', 'how the file is read; otherwise its name says it, else lines').choices([
        ...inputFormats,
      ]),
    )
    .option('--delimiter <character>', 'between the columns of a CSV (default: a comma, in .tsv a tab)')
    .option('--no-header', 'the first row of a CSV names no columns: they are called 1, 2, 3 …');
}

/** How tasks are sent. */
export function withSendingOptions(command: Command): Command {
  return command
    .option(
      '--priority <priority>',
      'critical, high, normal, low or a number; lower numbers run first',
      priority,
      'low',
    )
    .option('--in-flight <tasks>', 'tasks under way at once (default: by the number of workers)', wholeNumber(1))
    .option('--patience <time>', 'how long to wait for a mill that is away or full', duration, 600_000);
}

/** @param formats those that the rows of this command can have */
export function withFileOptions(command: Command, formats: readonly OutputFormat[] = outputFormats): Command {
  withInputOptions(command)
    .option('--id-field <name>', 'a field or column that is copied to each row as its id')
    .option('-o, --output <file>', 'where the rows go (default: stdout); a draft until it is whole');
  if (formats.length > 1) {
    command.addOption(
      new Option('--format <format>', 'of the rows; otherwise the name of the output says it, else jsonl').choices([
        ...formats,
      ]),
    );
  }
  command
    .option('--errors <file>', 'where the lines that failed go, as JSON lines (default: stderr)')
    .option('--resume', 'go on where the last run of this command stopped')
    .option('--restart', 'throw away what the last run left, and begin again');
  withSendingOptions(command)
    .addOption(
      new Option('--on-interrupt <what>', 'what Ctrl-C does to the tasks that are under way')
        .choices(['finish', 'cancel'])
        .default('finish'),
    )
    .option('-q, --quiet', 'no progress');
  return withCommonOptions(command);
}

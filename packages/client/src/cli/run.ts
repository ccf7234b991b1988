import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { inputOf } from './embed.ts';
import { runFile } from './file-command.ts';
import { type FileFlags, withFileOptions } from './file-flags.ts';
import { examples } from './help-examples.ts';
import { inputTemplate } from './input-template.ts';
import { familyOf } from './known-type.ts';
import { inputFormatOf, openReader } from './readers/open-reader.ts';
import { Refusal } from './refusal.ts';
import { runRecipe } from './run-recipe.ts';

/** How a record becomes an input. */
export interface RunFlags extends FileFlags {
  readonly type: string;
  readonly inputTemplate?: string;
}

const helpExamples = examples([
  [
    'millrace run inputs.jsonl --type text.clean -o clean.jsonl',
    'each line is an input: {"texts": ["…"], "format": "html"}',
  ],
  [
    `millrace run pages.jsonl --type text.clean --id-field url --input-template '{"texts": ["{{body}}"], "format": "html"}'`,
    'each line has a field "body"',
  ],
  [
    `millrace run mails.txt --type text.redact --input-template '{"texts": ["{{text}}"]}' -o redacted.jsonl`,
    'each line is a text',
  ],
  ['millrace run inputs.jsonl --type text.clean -o clean.jsonl --resume', 'go on after Ctrl-C, a crash or a full disk'],
]);

/** `millrace run` */
export function addRun(program: Command, cli: Cli): void {
  const command = program
    .command('run')
    .description('Runs a task of any type for each line of a file: JSON lines of outputs, in order.')
    .argument('[file]', 'inputs as JSONL; with a template also lines, CSV or TSV; - for stdin')
    .requiredOption('--type <type>', 'the task type, e.g. text.clean')
    .option('--input-template <json>', 'the input, with places for fields: {{text}} is a line without fields');
  withFileOptions(command, ['jsonl'])
    .addHelpText('after', helpExamples)
    .action(
      cli.action(async (file: string | undefined, flags: RunFlags) => {
        const input = inputOf(file, cli.shell);
        return await runFile(cli.shell, {
          file: input,
          flags,
          ...running(input, flags),
          // Inputs may be large: so many are held twice.
          inFlight: () => 64,
          familyOf: (open) => familyOf(open, flags.type),
        });
      }),
    );
}

/** How the records of a file are run. @throws Refusal for options that do not go together. */
export function running(
  file: string,
  flags: Pick<RunFlags, 'type' | 'inputTemplate' | 'inputFormat' | 'delimiter' | 'header' | 'idField'>,
) {
  const { type, inputTemplate: template, delimiter, header, idField } = flags;
  const format = flags.inputFormat ?? (file === '-' && template === undefined ? 'jsonl' : inputFormatOf(file));
  if (format === 'lines' && template === undefined) {
    throw new Refusal(
      `Plain lines are no inputs: say with --input-template what becomes of them, or that it is --input-format jsonl.`,
    );
  }
  if (format === 'lines' && idField !== undefined)
    throw new Refusal('--id-field needs fields; plain lines have none: leave it out.');
  const fill = template === undefined ? undefined : inputTemplate(template);
  return {
    recipe: runRecipe({ type, fill, idField }),
    reader: openReader(format, { delimiter, header, wanted: idField === undefined ? [] : [idField] }),
    options: {
      command: 'run',
      '--type': type,
      '--input-format': format,
      ...(template === undefined ? {} : { '--input-template': template }),
      ...(idField === undefined ? {} : { '--id-field': idField }),
      ...(delimiter === undefined ? {} : { '--delimiter': delimiter }),
      ...(header ? {} : { '--no-header': 'given' }),
    },
  };
}

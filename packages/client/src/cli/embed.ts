import { type Command, Option } from 'commander';
import type { Cli } from './cli.ts';
import { embedRecipe } from './embed-recipe.ts';
import { runFile } from './file-command.ts';
import { type FileFlags, withFileOptions } from './file-flags.ts';
import { examples } from './help-examples.ts';
import { inputFormatOf, openReader } from './readers/open-reader.ts';
import { Refusal } from './refusal.ts';
import type { Shell } from './shell.ts';

/** How a text is found and embedded. */
export interface TextFlags {
  readonly field?: string;
  readonly column?: string;
  readonly model?: string;
  readonly purpose?: 'query' | 'document';
  readonly normalize: boolean;
}

interface EmbedFlags extends FileFlags, TextFlags {
  readonly text?: boolean;
}

const helpExamples = examples([
  ['millrace embed sentences.txt -o vectors.npy', 'a row of float32 for each line'],
  ['millrace embed posts.jsonl --field body --id-field id -o posts.vectors.jsonl', 'JSONL to JSONL'],
  ['millrace embed shop.csv --column description -o shop.f32 --errors bad.jsonl', 'a column of a CSV'],
  ['cat sentences.txt | millrace embed - > vectors.jsonl', 'from and to a pipe'],
  ['millrace embed sentences.txt -o vectors.npy --resume', 'go on after Ctrl-C, a crash or a full disk'],
]);

/** `millrace embed` */
export function addEmbed(program: Command, cli: Cli): void {
  const command = program
    .command('embed')
    .description('Embeds the texts of a file: a vector for each line, in order.')
    .argument('[file]', 'texts as lines, JSONL, CSV or TSV; - for stdin');
  withTextOptions(command).option('--text', 'copy each text to its row (JSONL)');
  withFileOptions(command)
    .addHelpText('after', helpExamples)
    .action(
      cli.action(async (file: string | undefined, flags: EmbedFlags) => {
        const input = inputOf(file, cli.shell);
        return await runFile(cli.shell, {
          file: input,
          flags,
          ...embedding(input, flags),
          inFlight: tasksInFlight,
          familyOf: async () => 'inference',
        });
      }),
    );
}

export function withTextOptions(command: Command): Command {
  return command
    .option('--field <name>', 'where JSONL has the text (default: "text")')
    .option('--column <name>', 'which column of a CSV has the text (default: "text", with --no-header "1")')
    .option('--model <name>', 'an embedding model of the workers (default: the bundled one)')
    .addOption(
      new Option('--purpose <purpose>', 'what the texts are for, where a model tells it apart').choices([
        'query',
        'document',
      ]),
    )
    .option('--no-normalize', 'vectors as the model gives them, not scaled to length 1');
}

/** How the texts of a file are embedded. @throws Refusal for options that do not go together. */
export function embedding(
  file: string,
  flags: TextFlags & Pick<EmbedFlags, 'inputFormat' | 'delimiter' | 'header' | 'idField' | 'text'>,
) {
  const format = flags.inputFormat ?? inputFormatOf(file);
  const isCsv = format === 'csv' || format === 'tsv';
  const { idField, delimiter, header, model, purpose } = flags;
  refuseForFormat(format, flags);
  const field = (isCsv ? flags.column : flags.field) ?? (isCsv && !header ? '1' : 'text');
  const common = {
    ...(model === undefined ? {} : { model }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(flags.normalize ? {} : { normalize: false }),
  };
  return {
    recipe: embedRecipe({
      field,
      fieldOption: isCsv ? '--column' : '--field',
      idField,
      withText: flags.text === true,
      common,
    }),
    reader: openReader(format, { delimiter, header, wanted: idField === undefined ? [field] : [field, idField] }),
    options: {
      command: 'embed',
      '--input-format': format,
      ...(format === 'lines' ? {} : { [isCsv ? '--column' : '--field']: field }),
      ...(idField === undefined ? {} : { '--id-field': idField }),
      ...(isCsv ? { '--delimiter': delimiter ?? 'as usual', header: String(header) } : {}),
      ...(flags.text === true ? { '--text': 'yes' } : {}),
      ...Object.fromEntries(Object.entries(common).map(([name, value]) => [`--${name}`, String(value)])),
    },
  };
}

function refuseForFormat(format: string, { field, column, idField }: TextFlags & { readonly idField?: string }): void {
  const isCsv = format === 'csv' || format === 'tsv';
  if (column !== undefined && !isCsv)
    throw new Refusal(`--column is for a CSV; this is ${format}: use --field, or --input-format csv.`);
  if (field !== undefined && format !== 'jsonl')
    throw new Refusal(`--field is for JSONL; this is ${format}: use --column, or --input-format jsonl.`);
  if (idField !== undefined && format === 'lines')
    throw new Refusal('--id-field needs fields; plain lines have none: leave it out.');
}

/** A task is in the hands of each lane or more; as many are on their way there, and back. */
export function tasksInFlight(lanes: number): number {
  return Math.max(8, 3 * lanes);
}

/** The file that is named, or stdin when something comes from there. @throws Refusal. */
export function inputOf(file: string | undefined, shell: Shell): string {
  if (file !== undefined) return file;
  if (shell.in.isTTY === true) throw new Refusal('Which file? Name one, or send lines to stdin (see --help).');
  return '-';
}

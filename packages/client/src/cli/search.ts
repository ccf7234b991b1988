import type { OutputOf } from '@millrace/shared/tasks/catalog';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { type Cli, type CommonFlags, withCommonOptions } from './cli.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { examples } from './help-examples.ts';
import { type OpenMill, withMill } from './open-mill.ts';
import { duration, json, wholeNumber } from './option-values.ts';
import type { Shell, TextSink } from './shell.ts';
import { plainTable } from './table-style.ts';

interface SearchFlags extends CommonFlags {
  readonly top: number;
  readonly filter?: unknown;
  readonly exact?: boolean;
  readonly wait: number;
}

type Found = OutputOf<'vector.search'>['results'][number];

/** Metadata in a table is cut there, in characters. */
const shownMetadata = 60;

const helpExamples = examples([
  ['millrace search books "Who lives in Baker Street?"', 'the ten nearest'],
  [
    `millrace search books "a storm at sea" -k 3 --filter '{"language": "en"}' --json`,
    'among those that match, as JSON',
  ],
]);

/** `millrace search` */
export function addSearch(program: Command, cli: Cli): void {
  const command = program
    .command('search')
    .description('Finds the points of a collection that are nearest to a text.')
    .argument('<collection>', 'its name')
    .argument('<text>', 'what to look for')
    .option('-k, --top <count>', 'how many points', wholeNumber(1), 10)
    .option('--filter <json>', 'which points: a filter as in docs/collections.md', json)
    .option('--exact', 'compare with every point that matches, instead of by the index')
    .option('--wait <time>', 'how long to wait for the answer', duration, 60_000);
  withCommonOptions(command)
    .addHelpText('after', helpExamples)
    .action(
      cli.action((collection: string, text: string, flags: SearchFlags) =>
        withMill(flags, (open) => search(cli.shell, open, { collection, text, flags })),
      ),
    );
}

async function search(
  { out, err, interrupts: { signal } }: Shell,
  { mill }: OpenMill,
  { collection, text, flags }: { collection: string; text: string; flags: SearchFlags },
): Promise<ExitCode> {
  const input = {
    collection,
    texts: [text],
    topK: flags.top,
    ...(flags.filter === undefined ? {} : { filter: flags.filter }),
    ...(flags.exact === true ? { exact: true } : {}),
  };
  // A person waits for it.
  const task = await mill.enqueue('vector.search', input as never, { priority: 'high', signal });
  const { results } = await task.result({ timeoutMs: flags.wait, signal });
  const [found] = results;
  if (found === undefined) throw new Error('one query has one answer');
  if (flags.json === true) out.line(JSON.stringify(found));
  else if (found.hits.length === 0) err.line('No point matches.');
  else out.line(hitsText(found, out));
  return exitCodes.fine;
}

function hitsText({ hits, exact, version }: Found, { colors }: TextSink): string {
  const table = new Table({ ...plainTable, head: ['', 'score', 'id', 'metadata'].map((name) => colors.dim(name)) });
  for (const [index, { id, score, metadata }] of hits.entries()) {
    table.push([String(index + 1), score.toFixed(4), id, clipped(metadata === null ? '' : JSON.stringify(metadata))]);
  }
  return `${table.toString()}\n${colors.dim(`version ${version}, ${exact ? 'every point that matches was compared' : 'by the index'}`)}`;
}

function clipped(text: string): string {
  return text.length <= shownMetadata ? text : `${text.slice(0, shownMetadata - 1)}…`;
}

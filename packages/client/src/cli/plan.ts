import type { Command } from 'commander';
import type { Cli, CommonFlags } from './cli.ts';
import { withCommonOptions } from './cli.ts';
import { embedding, inputOf, type TextFlags, tasksInFlight, withTextOptions } from './embed.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type InputFlags, withInputOptions, withSendingOptions } from './file-flags.ts';
import { resultTtlMs } from './flow/file-run.ts';
import { openSource } from './flow/input-source.ts';
import { openProgress, type Progress, silentProgress } from './flow/progress.ts';
import type { Recipe } from './flow/recipe.ts';
import { examples } from './help-examples.ts';
import { familyOf } from './known-type.ts';
import { type AnyMill, type OpenMill, withMill } from './open-mill.ts';
import { duration, type Priority } from './option-values.ts';
import { planFacts, planText } from './planning/plan-facts.ts';
import { probe } from './planning/probe.ts';
import { redisMemory } from './planning/redis-bytes.ts';
import { drawSample, type Sample } from './planning/sample.ts';
import type { RecordReader } from './readers/record-reader.ts';
import { Interrupted, Refusal } from './refusal.ts';
import { running } from './run.ts';
import type { Shell } from './shell.ts';

interface PlanFlags extends CommonFlags, InputFlags, TextFlags {
  readonly type?: string;
  readonly inputTemplate?: string;
  readonly priority: Priority;
  readonly inFlight?: number;
  readonly patience: number;
  readonly for: number;
}

const helpExamples = examples([
  ['millrace plan sentences.txt', 'before millrace embed sentences.txt'],
  ['millrace plan inputs.jsonl --type text.clean --for 20s --json', 'before millrace run, twice as long, for programs'],
]);

/** `millrace plan` */
export function addPlan(program: Command, cli: Cli): void {
  const command = program
    .command('plan')
    .description('Measures for ten seconds what a file would take: speed, time, memory, bytes of Redis.')
    .argument('[file]', 'as for embed; with --type as for run')
    .option('--type <type>', 'a task for each line, instead of embedding it')
    .option('--input-template <json>', 'as for run')
    .option('--for <time>', 'how long to measure', duration, 10_000);
  withSendingOptions(withTextOptions(withInputOptions(command)));
  withCommonOptions(command)
    .addHelpText('after', helpExamples)
    .action(
      cli.action(async (file: string | undefined, flags: PlanFlags) => {
        const input = inputOf(file, cli.shell);
        const { type } = flags;
        // Items of both kinds go the same way.
        const { recipe, reader } = (
          type === undefined ? embedding(input, flags) : running(input, { ...flags, type })
        ) as Planned;
        return await withMill(flags, (open) => plan(cli.shell, { open, file: input, flags, recipe, reader }));
      }),
    );
}

interface Planned {
  readonly recipe: Recipe<unknown>;
  readonly reader: RecordReader;
}

interface Planning extends Planned {
  readonly open: OpenMill;
  readonly file: string;
  readonly flags: PlanFlags;
}

async function plan(shell: Shell, planning: Planning): Promise<ExitCode> {
  const { open, flags, recipe } = planning;
  const family = await familyOf(open, recipe.type);
  const lanes = (await open.workersNow()).flatMap((worker) =>
    worker.lanes.filter((lane) => lane.family === family),
  ).length;
  if (lanes === 0)
    throw new Refusal(`No worker for ${family} runs, so nothing can be measured: start one.`, exitCodes.failed);
  const sample = await sampleOf(shell, planning);
  if (sample.items === 0)
    throw new Refusal(`${planning.file} has no ${planning.reader.unit} that can be a task.`, exitCodes.failed);
  const facts = await measure(shell, planning, { sample, lanes });
  shell.out.line(flags.json === true ? JSON.stringify(facts) : planText(facts, planning.reader.unit));
  return exitCodes.fine;
}

async function sampleOf(shell: Shell, { file, recipe, reader, flags }: Planning): Promise<Sample<unknown>> {
  const { signal } = shell.interrupts;
  const source = await openSource(file, shell.in);
  const progress = progressOf(shell, flags, { name: `reading ${source.name}`, unit: reader.unit, size: source.size });
  const onProgress = (at: { records: number; bytes: number }) => progress.update({ ...at, failed: 0 });
  try {
    const sample = await drawSample({ source, reader, recipe, stopped: signal, random: Math.random, onProgress });
    if (signal.aborted) throw new Interrupted();
    return sample;
  } finally {
    progress.stop();
  }
}

async function measure(
  shell: Shell,
  { open, flags, recipe }: Planning,
  { sample, lanes }: { sample: Sample<unknown>; lanes: number },
) {
  const { signal } = shell.interrupts;
  const { mill, address, catalog } = open;
  const now = () => performance.now();
  const before = { redis: await redisMemory(address), queues: await mill.queues({ signal }) };
  const progress = progressOf(shell, flags, { name: 'measuring', unit: 'item', size: undefined });
  const options = {
    priority: flags.priority,
    inFlight: flags.inFlight ?? (recipe.itemsPath === undefined ? 64 : tasksInFlight(lanes)),
    resultTtlMs,
    waitMs: flags.for * 2,
    waitForRoomMs: flags.patience,
    signal,
  };
  const onItems = (records: number) => progress.update({ records, bytes: 0, failed: 0 });
  const measured = await probe({ mill, recipe, items: sample.chosen, options, forMs: flags.for, now, onItems }).finally(
    () => progress.stop(),
  );
  if (measured === undefined) {
    throw new Refusal(
      `Nothing came back within ${(2 * flags.for) / 1000} s: look with millrace watch what keeps the workers.`,
      exitCodes.failed,
    );
  }
  const after = { redis: await redisMemory(address), workers: await mill.workers({ signal }) };
  const remembered = await rememberedShare(mill, measured.lastIds);
  return planFacts({ sample, measured, remembered, before, after, recipe, catalog });
}

/** The share of tasks for which nothing was computed: their texts came lately, and workers knew the answers. */
async function rememberedShare(mill: AnyMill, ids: readonly string[]): Promise<number> {
  const views = await Promise.all(ids.map((id) => mill.get(id).catch(() => undefined)));
  const known = views.filter((view) => view !== undefined);
  return known.length === 0 ? 0 : known.filter(({ calls }) => calls === 0).length / known.length;
}

function progressOf(
  { err }: Shell,
  { json }: PlanFlags,
  shown: { name: string; unit: string; size: number | undefined },
): Progress {
  const isShown = err.isTerminal && json !== true;
  return isShown ? openProgress({ ...shown, err, now: () => performance.now() }) : silentProgress(err);
}

import type { TaskView } from '@millrace/shared/tasks/task';
import type { Cli, CommonFlags } from './cli.ts';
import { exitCodeOf, reportOf } from './error-text.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type AnyMill, withMill } from './open-mill.ts';

interface EachTask {
  readonly ids: readonly string[];
  readonly flags: CommonFlags;
  readonly act: (mill: AnyMill, id: string, signal: AbortSignal) => Promise<TaskView>;
}

/** Does something to each of some tasks; one that refuses does not keep it from the others. */
export async function eachTask(cli: Cli, { ids, flags, act }: EachTask): Promise<ExitCode> {
  const { out, interrupts } = cli.shell;
  return await withMill(flags, async ({ mill }) => {
    let worst: ExitCode = exitCodes.fine;
    for (const id of ids) {
      try {
        const view = await act(mill, id, interrupts.signal);
        out.line(flags.json === true ? JSON.stringify(view) : `${view.id}  ${view.state}`);
      } catch (error) {
        const code = exitCodeOf(error);
        // Of the mill, not of this task: the others would meet the same.
        if (code !== exitCodes.failed) throw error;
        if (flags.json === true) out.line(JSON.stringify({ id, error: reportOf(error) }));
        else cli.complain(error, false);
        worst = code;
      }
    }
    return worst;
  });
}

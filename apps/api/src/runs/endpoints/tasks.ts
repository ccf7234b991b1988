import { MillraceError } from '@millrace/shared/errors';
import { resultText } from '../../result/result-text.ts';
import type { RunLine } from '../run-line.ts';
import type { CutUnits, LineOutcome, RunOneTask, Unit } from '../unit.ts';

/** A run over /v1/tasks: each line is a task of any type, and the body of its response the task's result. */
export const cutTaskUnits: CutUnits = async function* (batches) {
  for await (const lines of batches) for (const line of lines) yield taskUnit(line);
};

function taskUnit(line: RunLine): Unit {
  return {
    lines: [line],
    end: line.end,
    items: 1,
    bytes: line.bytes,
    work: async (runTask) => [await runLine(line, runTask)],
  };
}

async function runLine({ number, body }: RunLine, runTask: RunOneTask): Promise<LineOutcome> {
  const { type, input, ...options } = body;
  if (typeof type !== 'string') return { kind: 'failed', error: withoutType() };
  const outcome = await runTask({ submitted: { ...options, type, input }, line: number, part: 'task' });
  if (outcome.kind !== 'succeeded') return outcome;
  return { kind: 'succeeded', body: await resultText(outcome.result, 'array'), tokens: 0 };
}

function withoutType(): MillraceError {
  const problem = { path: 'type', got: 'nothing', expected: 'a type of GET /v1/task-types', remedy: 'Add it.' };
  return new MillraceError('INVALID_INPUT', 'type is missing: a type of GET /v1/task-types.', { problems: [problem] });
}

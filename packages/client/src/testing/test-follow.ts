import { onAbort, timerMs } from '../abortable.ts';
import { Change } from '../change.ts';
import type { WaitBound } from '../ends-within.ts';
import type { FollowedEvent } from '../transport.ts';
import type { TestTask } from './test-task.ts';

/** Follows a task of the test double, from its present state on. */
export async function* followTestTask(
  task: TestTask,
  now: number,
  signals: readonly (AbortSignal | undefined)[],
): AsyncGenerator<FollowedEvent, void, undefined> {
  const events: FollowedEvent[] = [{ kind: 'state', state: task.state, at: new Date(now).toISOString() }];
  if (task.hasEnded) events.push({ kind: 'end', view: task.view() });
  const change = new Change();
  const offs = [
    task.listen((event) => {
      events.push(event);
      change.tell();
    }),
    ...signals.flatMap((signal) => (signal === undefined ? [] : [onAbort(signal, () => change.tell())])),
  ];
  try {
    for (;;) {
      for (const signal of signals) signal?.throwIfAborted();
      const event = events.shift();
      if (event !== undefined) yield event;
      if (event?.kind === 'end') return;
      if (events.length === 0) await change.wait();
    }
  } finally {
    for (const off of offs) off();
  }
}

/** Waits for the end of a task of the test double, in real time. @throws the reason of either signal. */
export async function testTaskEnds(
  task: TestTask,
  { timeoutMs, signal }: WaitBound,
  closing: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  if (task.hasEnded) return;
  const offs: (() => void)[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, timerMs(timeoutMs));
      offs.push(() => clearTimeout(timer));
      offs.push(task.listen(({ kind }) => kind === 'end' && resolve()));
      for (const each of [signal, closing]) {
        if (each !== undefined) offs.push(onAbort(each, () => reject(each.reason)));
      }
    });
  } finally {
    for (const off of offs) off();
  }
}

import { errorTable, isErrorCode } from '@millrace/shared/errors';
import type { QueuePlace } from '@millrace/shared/redis/queue-place';
import type { TaskRecord } from '@millrace/shared/redis/task-record';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Explanation } from '@millrace/shared/tasks/explanation';
import { allowsRemote } from '@millrace/shared/tasks/inference/model-name';
import type { Family, TaskState, TaskView } from '@millrace/shared/tasks/task';

/** What is known of a task and of what is around it. */
export interface TaskFacts {
  readonly family: Family;
  readonly view: TaskView;
  readonly record: TaskRecord;
  readonly place: QueuePlace;
  /** The living workers of its family. */
  readonly workers: readonly WorkerBeat[];
  /** The model that it needs; null for none. */
  readonly model: string | null;
  /** The tasks that it is made of and that have not ended. */
  readonly waitsFor: readonly { readonly id: string; readonly state: TaskState | null }[];
  readonly now: number;
}

/** Why a task is where it is. Facts in, words out. */
export function explain(facts: TaskFacts): Explanation {
  const { view, record, place, workers, model, waitsFor } = facts;
  return {
    id: view.id,
    type: view.type,
    state: view.state,
    summary: summaryOf(facts).join(' '),
    ahead: place.ahead === undefined || record.place !== 'waiting' ? null : { ...place.ahead },
    paused: place.paused,
    workers: {
      family: workers.length,
      ofType: knowing(facts).length,
      withModel: model === null ? null : equipped(facts).length,
    },
    model,
    holder: holderOf(facts),
    dueAt: record.place === 'delayed' ? iso(record.dueAt) : null,
    waitsFor: waitsFor.map((part) => ({ ...part })),
    attempt: view.attempt,
    attempts: view.attempts,
    started: record.attemptsStarted,
    stalls: record.stalls,
    timings: view.timings,
    ...(view.error === undefined ? {} : { error: view.error }),
  };
}

function summaryOf(facts: TaskFacts): string[] {
  switch (facts.view.state) {
    case 'scheduled':
      return [...scheduled(facts), ...obstacles(facts)];
    case 'queued':
      return [...queued(facts), ...obstacles(facts), ...history(facts)];
    case 'running':
      return [...running(facts), ...history(facts)];
    case 'succeeded':
      return [...succeeded(facts), ...history(facts)];
    case 'failed':
      return [`It failed for good in attempt ${facts.view.attempt} of ${facts.view.attempts}.`, ...reason(facts)];
    case 'cancelled':
      return ['It was cancelled.', ...reason(facts)];
    case 'expired':
      return ['It expired: no worker began it in time.', ...reason(facts)];
  }
}

function scheduled({ record, now }: TaskFacts): string[] {
  const until = `${iso(record.dueAt) ?? 'its time'} (in ${duration((record.dueAt ?? now) - now)})`;
  if (record.attemptsStarted > 0) {
    return [`A worker put it back, for it lacks the type or the model; it is taken again at ${until}.`];
  }
  const by = record.schedule === undefined ? 'It is' : `It is a run of the schedule ${record.schedule},`;
  return [`${by} not due before ${until}.`];
}

function queued({ view, record, place, waitsFor, now }: TaskFacts): string[] {
  if (record.orphaned) {
    return [
      `Its worker ${record.worker ?? ''} does not answer any more: the others have it back within 20 s of that, at its priority.`,
    ];
  }
  if (record.place === 'waiting-children') {
    const parts = waitsFor.map(({ id, state }) => (state === null ? id : `${id} (${state})`)).join(', ');
    return [`It waits for the tasks that it is made of: ${parts || 'the last has just ended'}.`];
  }
  if (record.place === 'delayed') {
    const until = `${iso(record.dueAt)} (in ${duration((record.dueAt ?? now) - now)})`;
    const why = view.error === undefined ? '' : `: ${view.error.code}: ${view.error.message}`;
    return [`Attempt ${view.attempt} of ${view.attempts} failed${why}.`, `The next begins after ${until}.`];
  }
  if (place.ahead === undefined) return ['It is on its way back to its priority, ahead of all others.'];
  const { moreUrgent, samePriority } = place.ahead;
  const ahead = `${tasks(moreUrgent)} of a more urgent priority and ${samePriority} of its own are ahead of it`;
  return [`It waits at priority ${view.priority}: ${ahead}; workers hold ${place.running}.`];
}

/** What keeps a task from beginning, however long it waits. */
function obstacles(facts: TaskFacts): string[] {
  const { family, view, place, workers, model } = facts;
  const paused = place.paused
    ? [`The family ${family} is paused: nothing of it begins before POST /v1/queues/${family}/resume.`]
    : [];
  if (workers.length === 0) return [...paused, `No worker of the family ${family} lives: start one.`];
  if (knowing(facts).length === 0) {
    return [...paused, `None of the ${workers.length} living workers of the family knows the type ${view.type}.`];
  }
  if (model === null || equipped(facts).length > 0) return paused;
  return [...paused, `None of the ${workers.length} living workers of the family has the model ${model}.`];
}

function running(facts: TaskFacts): string[] {
  const { view, now } = facts;
  const holder = holderOf(facts);
  if (holder === null) return ['A worker holds it.'];
  const host = holder.host === null ? '' : ` on ${holder.host}`;
  const since = holder.since === null ? '' : ` since ${holder.since} (${duration(now - Date.parse(holder.since))})`;
  const call =
    holder.batch === null ? 'It waits there for a call that it fits in.' : `Call ${holder.batch} computes it.`;
  const done = view.progress === null ? [] : [`${view.progress.done} of ${view.progress.total} items are done.`];
  return [
    `Worker ${holder.worker}${host} has it${since}, attempt ${view.attempt} of ${view.attempts}.`,
    // A worker tells of its first 256 tasks, every three seconds: of others it is not known.
    ...(heldBy(facts) === undefined ? [] : [call]),
    ...done,
  ];
}

function succeeded({ view }: TaskFacts): string[] {
  const { queuedMs, batchedMs, computeMs, settledMs } = view.timings;
  const stages = [
    ['waited', queuedMs],
    ['was batched', batchedMs],
    ['computed', computeMs],
    ['was stored', settledMs],
  ].flatMap(([stage, ms]) => (typeof ms === 'number' ? [`${stage} ${duration(ms)}`] : []));
  const where = view.worker === null ? '' : ` on worker ${view.worker}`;
  const shared = view.batch === null ? '' : `, the last call with ${view.batch.size} items`;
  const times = stages.length === 0 ? [] : [`It ${stages.join(', ')}.`];
  return [`It succeeded${where} in attempt ${view.attempt} of ${view.attempts}${shared}.`, ...times];
}

function reason({ view: { error } }: TaskFacts): string[] {
  if (error === undefined) return [];
  const remedy = isErrorCode(error.code) ? [`What to do: ${errorTable[error.code].remedy}`] : [];
  return [`${error.code}: ${error.message}`, ...remedy];
}

/** What happened before. */
function history({ record }: TaskFacts): string[] {
  if (record.stalls === 0) return [];
  return [`It came back ${record.stalls === 1 ? 'once' : `${record.stalls} times`} from a worker that died or froze.`];
}

function knowing({ workers, view }: TaskFacts): readonly WorkerBeat[] {
  return workers.filter(({ types }) => types.includes(view.type));
}

function equipped({ workers, model }: TaskFacts): readonly WorkerBeat[] {
  return workers.filter(
    ({ models, remoteModels = [] }) =>
      models.some(({ name }) => name === model) || (model !== null && allowsRemote(remoteModels, model)),
  );
}

/** What the heartbeat of its worker says of it. */
function heldBy({ view, record, workers }: TaskFacts): WorkerBeat['running'][number] | undefined {
  return workers.find(({ id }) => id === record.worker)?.running.find(({ id }) => id === view.id);
}

function holderOf(facts: TaskFacts): Explanation['holder'] {
  const { view, record, workers } = facts;
  if (view.state !== 'running' || record.worker === undefined) return null;
  const beat = workers.find(({ id }) => id === record.worker);
  const held = heldBy(facts);
  return {
    worker: record.worker,
    host: beat?.host ?? null,
    since: held?.since ?? iso(record.processedAt),
    batch: held?.batch ?? null,
  };
}

function tasks(count: number): string {
  return count === 1 ? '1 task' : `${count} tasks`;
}

function duration(ms: number): string {
  const rest = Math.max(0, Math.round(ms));
  if (rest < 1000) return `${rest} ms`;
  if (rest < 120_000) return `${Math.round(rest / 100) / 10} s`;
  return rest < 7_200_000 ? `${Math.round(rest / 60_000)} min` : `${Math.round(rest / 3_600_000)} h`;
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

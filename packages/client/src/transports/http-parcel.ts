import { randomUUID } from 'node:crypto';
import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import { checkKeyForm } from '../idempotency.ts';
import type { Parcel, SendOutcome, Submission } from '../transport.ts';
import { isFull } from '../wait-for-room.ts';
import { errorOfProblem } from './http-problem.ts';
import { type ApiRequests, isOutage } from './http-requests.ts';

/** Of one request with many tasks: few enough to be answered soon, and to be sent again at little cost. */
const mostTasks = 1000;
const mostCharacters = 2 ** 22;

/** What the API says of each task of a bulk request. */
type BulkItem =
  | { readonly index: number; readonly id: string }
  | { readonly index: number; readonly error: Parameters<typeof errorOfProblem>[0] };

/** A task as a line, and its place among all. */
interface Line {
  readonly index: number;
  readonly text: string;
}

/** Tasks for an API. Each has an Idempotency-Key, made anew if none is given, so that they may be sent again. */
export class HttpParcel implements Parcel {
  private readonly requests: ApiRequests;
  private readonly tasks: readonly Submission[];
  private readonly key: string;
  private readonly outcomes: SendOutcome[] = [];

  /** @throws MillraceError INVALID_REQUEST when the key cannot be one. */
  constructor(requests: ApiRequests, tasks: readonly Submission[], idempotencyKey: string = randomUUID()) {
    checkKeyForm(idempotencyKey);
    this.requests = requests;
    this.tasks = tasks;
    this.key = idempotencyKey;
  }

  async send(giveUp?: AbortSignal): Promise<readonly SendOutcome[]> {
    const [task] = this.tasks;
    if (this.tasks.length === 1 && task !== undefined) return [await this.sendOne(task, giveUp)];
    for (const lines of this.requestsLeft()) {
      const failure = await this.sendLines(lines, giveUp).catch(toMillraceError);
      if (failure === undefined) continue;
      // They would meet the same, and come before those that were sent first.
      for (const index of this.tasks.keys()) if (this.isOpen(index)) this.outcomes[index] = { error: failure };
      break;
    }
    return [...this.outcomes];
  }

  private async sendOne(task: Submission, giveUp: AbortSignal | undefined): Promise<SendOutcome> {
    const headers = { 'idempotency-key': this.key };
    const { id } = await this.requests.json<{ id: string }>({
      method: 'POST',
      path: '/v1/tasks',
      body: task,
      headers,
      giveUp,
    });
    return { id };
  }

  /** Notes what became of some tasks. Gives what keeps those behind from being sent. */
  private async sendLines(lines: readonly Line[], giveUp: AbortSignal | undefined): Promise<MillraceError | undefined> {
    const { items } = await this.requests.json<{ items: BulkItem[] }>({
      method: 'POST',
      path: '/v1/tasks/bulk',
      contentType: 'application/x-ndjson',
      body: lines.map(({ text }) => text).join('\n'),
      giveUp,
    });
    for (const [place, { index }] of lines.entries()) {
      const item = items[place];
      if (item === undefined) throw new MillraceError('INTERNAL', 'The API did not say what became of a task.');
      this.outcomes[index] = 'id' in item ? { id: item.id } : { error: errorOfProblem(item.error) };
    }
    const turnedAway = lines.find(({ index }) => this.isOpen(index));
    const outcome = turnedAway === undefined ? undefined : this.outcomes[turnedAway.index];
    return outcome !== undefined && 'error' in outcome ? outcome.error : undefined;
  }

  /** The tasks that are not settled, a request at a time. */
  private *requestsLeft(): Generator<Line[]> {
    let lines: Line[] = [];
    let characters = 0;
    for (const [index, task] of this.tasks.entries()) {
      if (!this.isOpen(index)) continue;
      const text = JSON.stringify({ ...task, idempotencyKey: `${this.key}.${index}` });
      if (lines.length === mostTasks || (lines.length > 0 && characters + text.length > mostCharacters)) {
        yield lines;
        lines = [];
        characters = 0;
      }
      lines.push({ index, text });
      characters += text.length;
    }
    if (lines.length > 0) yield lines;
  }

  /** Whether a task is still to be accepted: not sent, or turned away for a reason that passes. */
  private isOpen(index: number): boolean {
    const outcome = this.outcomes[index];
    return outcome === undefined || ('error' in outcome && (isFull(outcome.error) || isOutage(outcome.error)));
  }
}

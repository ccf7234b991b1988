import type { TaskState, TaskView } from '@millrace/shared/tasks/task';
import type { FollowedEvent } from '../transport.ts';
import { errorOfProblem } from './http-problem.ts';

/** One server-sent event. */
interface SentEvent {
  readonly name: string;
  readonly data: unknown;
}

/** Cuts a stream of server-sent events, as the API writes them, into events; comments are passed over. */
export async function* sentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<SentEvent, void, undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const event = parseEvent(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== undefined) yield event;
    }
  }
}

function parseEvent(block: string): SentEvent | undefined {
  const fields = block.split('\n').map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const read = (field: string) => fields.find(([name]) => name === field)?.[1];
  const data = read('data');
  return data === undefined ? undefined : { name: read('event') ?? 'message', data: JSON.parse(data) };
}

/**
 * What the API tells of a task, of all the streams that it takes: a stream that breaks is followed by another, which begins with
 * the state as it is, and nothing is said twice.
 */
export class FollowedTask {
  ended = false;
  private state: TaskState | undefined;
  private progress = '';

  /** What is new in an event. @throws MillraceError the API's own. */
  hear({ name, data }: SentEvent): FollowedEvent | undefined {
    switch (name) {
      case 'state':
        return this.stateChange(data as { state: TaskState; at: string });
      case 'progress':
        return this.progressChange(data as { done: number; total: number });
      case 'end':
        this.ended = true;
        return { kind: 'end', view: data as TaskView };
      case 'error':
        throw errorOfProblem(data as object);
      default:
        // An API that is newer than this client may tell more.
        return undefined;
    }
  }

  private stateChange({ state, at }: { state: TaskState; at: string }): FollowedEvent | undefined {
    if (state === this.state) return undefined;
    this.state = state;
    return { kind: 'state', state, at };
  }

  private progressChange({ done, total }: { done: number; total: number }): FollowedEvent | undefined {
    const text = `${done}/${total}`;
    if (text === this.progress) return undefined;
    this.progress = text;
    return { kind: 'progress', done, total };
  }
}

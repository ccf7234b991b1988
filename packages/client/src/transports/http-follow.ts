import { pause } from '../abortable.ts';
import type { FollowedEvent } from '../transport.ts';
import { FollowedTask, sentEvents } from './http-events.ts';
import { unavailable } from './http-problem.ts';
import { type ApiRequests, isOutage } from './http-requests.ts';

/** In a quiet stream the API sends a comment every 15 s; ms. */
const quietMs = 30_000;
const reconnectMs = 250;

/** Follows a task by the API's stream of its events, and by another when that breaks. */
export async function* followByHttp(
  requests: ApiRequests,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<FollowedEvent, void, undefined> {
  const task = new FollowedTask();
  const headers = { accept: 'text/event-stream' };
  for (let heardAt = performance.now(); ; await pause(reconnectMs, signal)) {
    try {
      for await (const event of sentEvents(requests.stream({ path, headers, signal, waitMs: quietMs }))) {
        heardAt = performance.now();
        const told = task.hear(event);
        if (told !== undefined) yield told;
        if (task.ended) return;
      }
      // It closes, and another may be there already.
      throw unavailable('The API ended the stream of events before the task had ended.');
    } catch (error) {
      if (!isOutage(error) || performance.now() - heardAt > requests.retryMs) throw error;
    }
  }
}

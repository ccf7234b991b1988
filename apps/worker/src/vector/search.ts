import { setImmediate as turn } from 'node:timers/promises';
import { toMillraceError } from '@millrace/shared/errors';
import {
  type CallContext,
  defineProcessor,
  failed,
  type ItemOutcome,
  type Processor,
  succeeded,
} from '@millrace/shared/tasks/processor';
import { mismatchOf } from '@millrace/shared/tasks/vector/collection-use';
import { type Found, type Hit, type SearchAsk, type SearchItem, search } from '@millrace/shared/tasks/vector/search';
import { atLengthOne, scoreOf } from './nearest.ts';
import type { ReadyReplica, Replicas } from './replicas.ts';
import { type Matches, type ReplicaAnswer, searchReplica, selectMatches } from './search-replica.ts';

/** So long it computes before messages have their turn, in ms: one may say that the call is to stop. */
const turnMs = 20;

/** Answers the queries of a call from the worker's replica, with everything that was written before the call began. */
export function searchProcessor(replicas: () => Replicas): Processor<SearchItem, Found> {
  return defineProcessor(search, {
    process: async (items, context) => {
      // The batch key is the collection: all items of a call name the same.
      const name = items[0]?.collection ?? '';
      try {
        return await new Call(await replicas().ready(name), context).answer(items);
      } catch (error) {
        const { code, message } = toMillraceError(error);
        return items.map(() => failed(code, message));
      }
    },
  });
}

/** One call to one replica. The queries of a task share what they ask, and so what their filter matches. */
class Call {
  private readonly ready: ReadyReplica;
  private readonly context: CallContext;
  private readonly matches = new Map<SearchAsk, { readonly matches: Matches; readonly changes: number }>();

  constructor(ready: ReadyReplica, context: CallContext) {
    this.ready = ready;
    this.context = context;
  }

  async answer(items: readonly SearchItem[]): Promise<ItemOutcome<Found>[]> {
    const outcomes: ItemOutcome<Found>[] = [];
    let turnAt = performance.now() + turnMs;
    for (const item of items) {
      if (performance.now() > turnAt) {
        await turn();
        turnAt = performance.now() + turnMs;
      }
      outcomes.push(this.context.signal.aborted ? failed('TASK_TIMEOUT', 'It took too long.') : this.answerOne(item));
    }
    return outcomes;
  }

  private answerOne({ collection, vector, ask }: SearchItem): ItemOutcome<Found> {
    const { replica, state } = this.ready;
    const use = { name: collection, fingerprint: ask.fingerprint, vectors: [{ path: 'the query', value: vector }] };
    const mismatch = mismatchOf(use, state);
    if (mismatch !== undefined) return failed(mismatch.code, mismatch.message);
    if ((ask.atLeastVersion ?? 0) > state.version) {
      const detail = `Collection ${collection} is at version ${state.version}, not yet at ${ask.atLeastVersion}.`;
      return failed('VERSION_NOT_REACHED', detail);
    }
    const query = replica.collection.metric === 'cosine' ? atLengthOne(vector) : vector;
    const { topK: k, exact } = ask;
    return succeeded(
      this.toFound(searchReplica(replica, query, { k, exact, ef: replica.ef, matches: this.matchesOf(ask) }), ask),
    );
  }

  /** Computed once for the queries of a task, and again when the points have changed between two turns. */
  private matchesOf(ask: SearchAsk): Matches | undefined {
    const { replica } = this.ready;
    const { changes } = replica.store;
    if (ask.filter === undefined) return undefined;
    const known = this.matches.get(ask);
    if (known?.changes === changes) return known.matches;
    const matches = selectMatches(replica, ask.filter);
    this.matches.set(ask, { matches, changes });
    return matches;
  }

  private toFound({ neighbours, exact }: ReplicaAnswer, { withVectors }: SearchAsk): Found {
    const { replica } = this.ready;
    const { store, collection } = replica;
    const hits = neighbours.map(({ label, distance }): Hit => {
      const facts = {
        id: store.idOf(label),
        score: scoreOf(collection.metric, distance),
        metadata: store.metadataOf(label),
      };
      return withVectors ? { ...facts, vector: Array.from(store.vectorOf(label)) } : facts;
    });
    return { hits, exact, version: replica.version };
  }
}

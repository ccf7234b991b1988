import { toMillraceError } from '@millrace/shared/errors';
import { defineProcessor, failed, type ItemOutcome, type Processor, succeeded } from '@millrace/shared/tasks/processor';
import { mismatchOf } from '@millrace/shared/tasks/vector/collection-use';
import { type Found, type Hit, type SearchAsk, type SearchItem, search } from '@millrace/shared/tasks/vector/search';
import { atLengthOne, scoreOf } from './nearest.ts';
import type { ReadyReplica, Replicas } from './replicas.ts';
import { type Matches, type ReplicaAnswer, searchReplica, selectMatches } from './search-replica.ts';
import { Turns } from './turns.ts';

/** Answers the queries of a call from the worker's replica, with everything that was written before the call began. */
export function searchProcessor(replicas: Replicas): Processor<SearchItem, Found> {
  return defineProcessor(search, {
    process: async (items, { signal }) => {
      // The batch key is the collection: all items of a call name the same.
      const [first] = items;
      if (first === undefined) return [];
      try {
        return await replicas.at(first.collection, signal, (ready) => new Call(ready, signal).answer(items));
      } catch (error) {
        const { code, message } = toMillraceError(error);
        return items.map(() => failed(code, message));
      }
    },
  });
}

/** One call to one replica, which does not change meanwhile. The queries of a task share what they ask, and its matches. */
class Call {
  private readonly ready: ReadyReplica;
  private readonly signal: AbortSignal;
  private readonly turns: Turns;
  private readonly matches = new Map<SearchAsk, Matches>();

  constructor(ready: ReadyReplica, signal: AbortSignal) {
    this.ready = ready;
    this.signal = signal;
    this.turns = new Turns(signal);
  }

  async answer(items: readonly SearchItem[]): Promise<ItemOutcome<Found>[]> {
    const outcomes: ItemOutcome<Found>[] = [];
    for (const item of items) outcomes.push(await this.answerOne(item));
    return outcomes;
  }

  private async answerOne(item: SearchItem): Promise<ItemOutcome<Found>> {
    const refusal = this.refusal(item);
    if (refusal !== undefined) return refusal;
    try {
      if (this.signal.aborted || this.turns.isDue) await this.turns.take();
      return succeeded(await this.find(item));
    } catch (error) {
      const { code, message } = toMillraceError(error);
      return failed(code, message);
    }
  }

  private refusal({ collection, vector, ask }: SearchItem): ItemOutcome<never> | undefined {
    const { state } = this.ready;
    const use = { name: collection, fingerprint: ask.fingerprint, vectors: [{ path: 'the query', value: vector }] };
    const mismatch = mismatchOf(use, state);
    if (mismatch !== undefined) return failed(mismatch.code, mismatch.message);
    if ((ask.atLeastVersion ?? 0) <= state.version) return undefined;
    const detail = `Collection ${collection} is at version ${state.version}, not yet at ${ask.atLeastVersion}.`;
    return failed('VERSION_NOT_REACHED', detail);
  }

  private async find({ vector, ask }: SearchItem): Promise<Found> {
    const { replica } = this.ready;
    const matches = await this.matchesOf(ask);
    const query = replica.collection.metric === 'cosine' ? atLengthOne(vector) : vector;
    const { topK: k, exact } = ask;
    const answer = searchReplica(replica, query, { k, exact, ef: replica.ef, matches });
    if (matches === undefined) replica.queries.note(query);
    return this.toFound(answer, ask);
  }

  private async matchesOf(ask: SearchAsk): Promise<Matches | undefined> {
    if (ask.filter === undefined) return undefined;
    const known = this.matches.get(ask);
    if (known !== undefined) return known;
    const matches = await selectMatches(this.ready.replica, ask.filter, this.turns);
    this.matches.set(ask, matches);
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

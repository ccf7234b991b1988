/** Queries that are kept, the newest: enough for one probe. */
const kept = 32;

/** What was searched lately, without a filter: what a probe of the recall asks again. */
export class RecentQueries {
  private readonly queries: Float32Array[] = [];
  private next = 0;
  /** How many there were. */
  count = 0;

  note(query: Float32Array): void {
    this.queries[this.next] = query;
    this.next = (this.next + 1) % kept;
    this.count += 1;
  }

  list(): readonly Float32Array[] {
    return this.queries;
  }
}

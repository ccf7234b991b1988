import { hash } from 'node:crypto';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import type { QueuedItem } from './queued-item.ts';
import type { RecentValues } from './recent-values.ts';

/** A value by what made it and, hashed, of what it is the value. */
interface ValueId {
  readonly fingerprint: string;
  readonly hash: string;
}

/** Where values are kept for all workers: a cache that may be slow, tight or away, and is then as if it were empty. */
export interface SharedValues {
  /** Whether it is worth asking now. */
  readonly isOpen: boolean;
  /** What it has, in order; soon, and never throws. */
  read(ids: readonly ValueId[]): Promise<readonly (Uint8Array<ArrayBuffer> | undefined)[]>;
  /** Keeps values, in the background. */
  write(entries: readonly { readonly id: ValueId; readonly bytes: Uint8Array }[]): void;
}

/** Where values are kept. */
export interface ValueStores {
  /** What this worker has computed lately. */
  readonly recent: RecentValues;
  /** What all workers keep for each other; undefined: nothing. */
  readonly shared: SharedValues | undefined;
}

/** What a lane has just loaded: items of a source, and the fingerprint that their values will have. */
export interface LoadedSource {
  readonly source: string;
  readonly fingerprint: string;
}

/** An item that has its value, from wherever. */
export interface ValuedItem {
  readonly item: QueuedItem;
  readonly value: unknown;
}

/**
 * The values that need not be computed, because they were: by this worker lately, or by any. A value is found by what its item
 * is and by the fingerprint of what would compute it now. That is known from what the lanes loaded and from the values that they
 * gave; as long as it is not known, nothing is found.
 */
export class KnownValues {
  private readonly stores: ValueStores;
  /** By type and source, as lanes last said. */
  private readonly fingerprints = new Map<string, string>();

  constructor(stores: ValueStores) {
    this.stores = stores;
  }

  /** What is kept in memory, in bytes. */
  get bytes(): number {
    return this.stores.recent.bytes;
  }

  /** A lane has started: it says of some sources what it has loaded. What it will load for others may have changed as well. */
  renew({ type }: TaskType, loaded: readonly LoadedSource[]): void {
    this.fingerprints.clear();
    for (const { source, fingerprint } of loaded) this.fingerprints.set(`${type} ${source}`, fingerprint);
  }

  /** The value of an item that this worker has computed lately. */
  recent(taskType: TaskType, item: unknown, identity: string): { readonly value: unknown } | undefined {
    if (!this.stores.recent.isOn) return undefined;
    const fingerprint = this.fingerprintOf(taskType, item);
    if (fingerprint === undefined) return undefined;
    const bytes = this.stores.recent.get(memoryKey(taskType, fingerprint, identity));
    const value = bytes === undefined ? undefined : taskType.keeping?.unpack(bytes, item, fingerprint);
    return value === undefined ? undefined : { value };
  }

  /** Whether the value of an item may be kept for all workers, and could be asked for now. */
  mayLookUp({ taskType, item, identity }: QueuedItem): boolean {
    return (
      this.stores.shared?.isOpen === true && identity !== undefined && this.fingerprintOf(taskType, item) !== undefined
    );
  }

  /** Looks items up among the values that are kept for all workers; never throws. What is found is kept here, too. */
  async lookUp(items: readonly QueuedItem[]): Promise<ReadonlyMap<QueuedItem, unknown>> {
    const asked = items.map((item) => this.fingerprintOf(item.taskType, item.item) ?? '');
    const found = await this.stores.shared?.read(items.map((item, index) => valueId(item, asked[index] ?? '')));
    const values = new Map<QueuedItem, unknown>();
    found?.forEach((bytes, index) => {
      const item = items[index];
      const fingerprint = asked[index];
      if (bytes === undefined || item === undefined || fingerprint === undefined) return;
      // A lane may have started meanwhile.
      if (this.fingerprintOf(item.taskType, item.item) !== fingerprint) return;
      const value = item.taskType.keeping?.unpack(bytes, item.item, fingerprint);
      if (value === undefined) return;
      values.set(item, value);
      this.stores.recent.set(memoryKey(item.taskType, fingerprint, item.identity ?? ''), bytes);
    });
    return values;
  }

  /** Keeps what was computed, and learns what computes now. */
  keep(computed: readonly ValuedItem[]): void {
    const { recent, shared } = this.stores;
    if (!recent.isOn && shared === undefined) return;
    const entries = computed.flatMap(({ item, value }) => {
      const { keeping } = item.taskType;
      if (keeping === undefined || item.identity === undefined) return [];
      const fingerprint = keeping.fingerprint(value);
      this.fingerprints.set(sourceKey(item.taskType, item.item), fingerprint);
      const bytes = keeping.pack(value);
      recent.set(memoryKey(item.taskType, fingerprint, item.identity), bytes);
      return shared?.isOpen === true ? [{ id: valueId(item, fingerprint), bytes }] : [];
    });
    if (entries.length > 0) shared?.write(entries);
  }

  private fingerprintOf(taskType: TaskType, item: unknown): string | undefined {
    return taskType.keeping === undefined ? undefined : this.fingerprints.get(sourceKey(taskType, item));
  }
}

function sourceKey({ type, keeping }: TaskType, item: unknown): string {
  return `${type} ${keeping?.source(item) ?? ''}`;
}

function memoryKey({ type }: TaskType, fingerprint: string, identity: string): string {
  return `${type} ${fingerprint} ${identity}`;
}

function valueId({ taskType, identity }: QueuedItem, fingerprint: string): ValueId {
  return { fingerprint, hash: hash('sha256', `${taskType.type} ${identity ?? ''}`, 'base64url') };
}

import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { MillraceError } from '../errors.ts';
import {
  type Collection,
  type CollectionSettings,
  type CollectionState,
  hnswDefaults,
} from '../tasks/vector/collection.ts';
import type { Redis } from './connection.ts';
import { collectionParts, type Keys } from './keys.ts';
import { Script } from './script.ts';

/** Of a collection's meta, what is read. */
const metaFields = ['generation', 'settings', 'version', 'mark', 'fingerprint'] as const;

const createCollection = new Script('create-collection');
const dropCollection = new Script('drop-collection', { beyondLimit: true });

/** The collections of a mill: their settings, versions and counts. Their points are in points.ts. */
export class Collections {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /**
   * Creates a collection; one that is there with the same settings is left as it is.
   * @throws MillraceError COLLECTION_DIFFERS with what differs, COLLECTION_CHANGED.
   */
  async create(
    name: string,
    settings: CollectionSettings,
    now: number,
  ): Promise<{ readonly created: boolean; readonly state: CollectionState }> {
    const { dimensions, metric, model = null, fingerprint = '', hnsw = hnswDefaults } = settings;
    const wanted = { dimensions, metric, model, hnsw };
    const created = await createCollection.run(
      this.redis,
      [this.keys.collections, this.keys.collection(name, 'meta')],
      [name, uuidv7(), JSON.stringify({ ...wanted, createdAt: now }), fingerprint],
    );
    const state = await this.read(name);
    if (state === undefined)
      throw new MillraceError('COLLECTION_CHANGED', `Collection ${name} was dropped just now by another.`);
    const differing = created === 1 ? [] : differences(state, { ...wanted, fingerprint });
    if (differing.length === 0) return { created: created === 1, state };
    throw new MillraceError('COLLECTION_DIFFERS', `Collection ${name} exists with another ${differing.join(', ')}.`);
  }

  /** A collection as it is now; undefined when there is none. */
  async read(name: string): Promise<CollectionState | undefined> {
    const [state] = await this.readEach([name]);
    return state;
  }

  /** Every collection, by name. */
  async list(): Promise<CollectionState[]> {
    const names = (await this.redis.smembers(this.keys.collections)).sort();
    return (await this.readEach(names)).filter((state) => state !== undefined);
  }

  /** Drops a collection with all its points; false when there was none. */
  async drop(name: string): Promise<boolean> {
    const keys = [this.keys.collections, ...collectionParts.map((part) => this.keys.collection(name, part))];
    return (await dropCollection.run(this.redis, keys, [name])) === 1;
  }

  /** Some collections in one round trip, in order. */
  async readEach(names: readonly string[]): Promise<(CollectionState | undefined)[]> {
    if (names.length === 0) return [];
    const pipeline = this.redis.pipeline();
    for (const name of names) {
      pipeline.hmget(this.keys.collection(name, 'meta'), ...metaFields);
      pipeline.hlen(this.keys.collection(name, 'points'));
    }
    const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply;
    });
    return names.map((name, index) => {
      const meta = replies[2 * index] as (string | null)[];
      return toState(name, meta, Number(replies[2 * index + 1]));
    });
  }
}

function toState(
  name: string,
  [generation, settings, version, mark, fingerprint]: readonly (string | null)[],
  points: number,
): CollectionState | undefined {
  if (!generation || !settings) return undefined;
  const collection: Collection = {
    name,
    generation,
    ...(JSON.parse(settings) as Omit<Collection, 'name' | 'generation'>),
  };
  return { collection, version: Number(version), mark: Number(mark), fingerprint: fingerprint ?? null, points };
}

type Wanted = Pick<Collection, 'dimensions' | 'metric' | 'model' | 'hnsw'> & { readonly fingerprint: string };

/** What differs is said with both values. */
function differences({ collection, fingerprint }: CollectionState, wanted: Wanted): string[] {
  const fields = ['dimensions', 'metric', 'model', 'hnsw'] as const;
  const differing = fields
    .filter((field) => !isDeepStrictEqual(collection[field], wanted[field]))
    .map((field) => `${field} (${JSON.stringify(collection[field])}, not ${JSON.stringify(wanted[field])})`);
  if (wanted.fingerprint === '' || fingerprint === null || wanted.fingerprint === fingerprint) return differing;
  return [...differing, `fingerprint (${fingerprint}, not ${wanted.fingerprint})`];
}

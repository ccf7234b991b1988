import { isDeepStrictEqual } from 'node:util';
import { MillraceError } from '@millrace/shared/errors';
import { hnswDefaults } from '@millrace/shared/tasks/vector/collection';
import type { CollectionView } from '@millrace/shared/tasks/vector/collection-view';
import { collectionNotFound, parseCollection } from '../collections.ts';

/** The collections of the test double: settings alone. What their points are is for the handlers to say. */
export class TestCollections {
  private readonly views = new Map<string, CollectionView>();

  put(name: string, settings: unknown, now: number): CollectionView {
    const {
      dimensions,
      metric,
      model = null,
      fingerprint = null,
      hnsw = hnswDefaults,
    } = parseCollection(name, settings);
    const wanted = { dimensions, metric, model, hnsw, fingerprint };
    const known = this.views.get(name);
    if (known === undefined) {
      const createdAt = new Date(now).toISOString();
      const view = { name, ...wanted, createdAt, version: 0, points: 0, workers: [] };
      this.views.set(name, view);
      return view;
    }
    const settled = Object.fromEntries(
      Object.keys(wanted).map((field) => [field, known[field as keyof typeof wanted]]),
    );
    if (isDeepStrictEqual(settled, wanted)) return known;
    throw new MillraceError('COLLECTION_DIFFERS', `Collection ${name} exists with other settings.`);
  }

  get(name: string): CollectionView {
    const view = this.views.get(name);
    if (view === undefined) throw collectionNotFound(name);
    return view;
  }

  list(): CollectionView[] {
    return [...this.views.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  drop(name: string): void {
    if (!this.views.delete(name)) throw collectionNotFound(name);
  }
}

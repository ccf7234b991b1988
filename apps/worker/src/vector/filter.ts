import type { Filter } from '@millrace/shared/tasks/vector/filter';
import type { Metadata } from '@millrace/shared/tasks/vector/point';
import sift from 'sift';

// A module of CommonJS: its names are found on what it exports as a whole.
const { $and, $eq, $exists, $gt, $gte, $in, $lt, $lte, $ne, $nin, $nor, $not, $or, createQueryTester } = sift;
/** What a filter may use: nothing that is code, or a pattern that could take for ever. */
const operations = { $and, $eq, $exists, $gt, $gte, $in, $lt, $lte, $ne, $nin, $nor, $not, $or };

/** Whether metadata passes a filter; a point without metadata is one with none of the fields. */
export function createFilter(filter: Filter): (metadata: Metadata | null) => boolean {
  const test = createQueryTester<Metadata>(filter as Parameters<typeof createQueryTester<Metadata>>[0], { operations });
  const none: Metadata = {};
  return (metadata) => test(metadata ?? none);
}

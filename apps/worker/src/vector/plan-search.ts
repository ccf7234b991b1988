/** What a plan is made of. */
interface SearchFacts {
  /** Points that are there. */
  readonly points: number;
  /** Those of them that pass the filter; all without one. */
  readonly matches: number;
  /** How many are wanted. */
  readonly k: number;
  /** What the producer asked for; undefined: whichever is faster. */
  readonly exact: boolean | undefined;
}

/**
 * How many points a scan looks at in the time that a search of the index takes with every point allowed; measured on 384
 * numbers (0.5 us a point, 0.4 ms a search). A filter that lets through a share s makes the search about 1/s as long.
 */
const pointsPerSearch = 800;

/** Whether comparing with every match is the way: the index would not be faster, or might not find k. */
export function shouldScan({ points, matches, k, exact }: SearchFacts): boolean {
  if (exact === true || matches <= k) return true;
  // Of few points the index is no gain even when it is asked for.
  if (matches <= pointsPerSearch) return exact === undefined || matches < points;
  return matches * matches < pointsPerSearch * points;
}

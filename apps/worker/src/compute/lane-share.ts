/** A worker as others on its machine see it. */
interface Neighbour {
  readonly id: string;
  readonly machine: string;
  /** Whether its number of lanes is set; then it takes so many cores and shares no more. */
  readonly fixedLanes: number | null;
}

/**
 * How many of a machine's cores a worker's lanes should use: the cores that no fixed worker has are dealt out evenly, the rest
 * of the division to those whose ids come first, so that all workers reach the same answer. At least 1 each.
 */
export function laneShare(
  me: string,
  { machine, cores }: { machine: string; cores: number },
  workers: readonly Neighbour[],
): number {
  const here = workers.filter((worker) => worker.machine === machine);
  const taken = here.reduce((sum, { fixedLanes }) => sum + (fixedLanes ?? 0), 0);
  const sharing = [
    ...new Set([me, ...here.filter(({ fixedLanes }) => fixedLanes === null).map(({ id }) => id)]),
  ].sort();
  const free = Math.max(0, cores - taken);
  const even = Math.floor(free / sharing.length);
  const extra = sharing.indexOf(me) < free % sharing.length ? 1 : 0;
  return Math.max(1, even + extra);
}

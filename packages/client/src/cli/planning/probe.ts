import type { MapOptions } from '../../map.ts';
import type { Recipe } from '../flow/recipe.ts';
import { mapAny } from '../flow/task-outcomes.ts';
import type { AnyMill } from '../open-mill.ts';

/** What a probe measured. */
export interface Probe {
  /** Items that came back in the time that counts. */
  readonly items: number;
  /** Items of tasks that failed among them. */
  readonly failed: number;
  /** From the first result on, when the way was full; of a file that ended before, from the beginning. In ms. */
  readonly ms: number;
  /** The sample was done before the time was over. */
  readonly isWhole: boolean;
  /** All that came back, also what does not count. */
  readonly allItems: number;
  /** The last tasks, to look at. */
  readonly lastIds: readonly string[];
}

interface ProbeParams<Item> {
  readonly mill: AnyMill;
  readonly recipe: Recipe<Item>;
  readonly items: readonly Item[];
  readonly options: MapOptions;
  /** How long, in ms. */
  readonly forMs: number;
  readonly now: () => number;
  readonly onItems: (items: number) => void;
}

/** What came of a task. */
interface Result {
  /** ms of the clock. */
  readonly at: number;
  readonly items: number;
  readonly failed: number;
  readonly id: string | undefined;
}

const mostLooked = 32;

/** Runs tasks for a while and cancels the rest. Undefined when nothing came back in twice that time. */
export async function probe<Item>(params: ProbeParams<Item>): Promise<Probe | undefined> {
  const { mill, recipe, items, options, forMs, now, onItems } = params;
  const groups = grouped(items, recipe);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), 2 * forMs);
  const signal = options.signal === undefined ? late.signal : AbortSignal.any([options.signal, late.signal]);
  const beganAt = now();
  const results: Result[] = [];
  try {
    const work = {
      type: recipe.type,
      inputs: groups.map((group) => recipe.inputOf(group)),
      options: { ...options, signal },
    };
    for await (const outcome of mapAny(mill, work)) {
      const size = groups[outcome.index]?.length ?? 0;
      results.push({ at: now(), items: size, failed: outcome.status === 'failed' ? size : 0, id: outcome.id });
      onItems(results.reduce((sum, result) => sum + result.items, 0));
      if (now() - beganAt >= forMs) break;
    }
  } catch (error) {
    if (!late.signal.aborted || options.signal?.aborted === true) throw error;
  } finally {
    clearTimeout(timer);
  }
  return measured(results, { beganAt, isWhole: results.length === groups.length });
}

function measured(
  results: readonly Result[],
  { beganAt, isWhole }: { beganAt: number; isWhole: boolean },
): Probe | undefined {
  const [first, ...rest] = results;
  const last = results.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const lastIds = results.slice(-mostLooked).flatMap(({ id }) => id ?? []);
  const sum = (of: typeof results, name: 'items' | 'failed') => of.reduce((total, result) => total + result[name], 0);
  const allItems = sum(results, 'items');
  // While the way fills nothing comes, and what then comes was done in that time.
  return isWhole || rest.length === 0
    ? { items: allItems, failed: sum(results, 'failed'), ms: last.at - beganAt, isWhole, allItems, lastIds }
    : { items: sum(rest, 'items'), failed: sum(rest, 'failed'), ms: last.at - first.at, isWhole, allItems, lastIds };
}

function grouped<Item>(items: readonly Item[], recipe: Recipe<Item>): Item[][] {
  const groups: Item[][] = [];
  for (const [index, item] of items.entries()) {
    const group = groups.at(-1);
    if (group !== undefined && recipe.fits(group, item, index)) group.push(item);
    else groups.push([item]);
  }
  return groups;
}

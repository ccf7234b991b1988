import type { ErrorCode, MillraceError } from '@millrace/shared/errors';
import type { MapOptions, MapOutcome } from '../../map.ts';
import type { LineFault } from '../line-fault.ts';
import type { AnyMill } from '../open-mill.ts';
import type { Row } from '../writers/row-format.ts';
import type { Recipe } from './recipe.ts';

/** What became of a task whose input is not known to the compiler. */
export type AnyOutcome = MapOutcome<unknown, Record<string, unknown>>;

/** Tasks for inputs whose type a person named; the mill checks them. */
export function mapAny(
  mill: AnyMill,
  { type, inputs, options }: { type: string; inputs: Iterable<unknown> | AsyncIterable<unknown>; options: MapOptions },
): AsyncGenerator<AnyOutcome, void, undefined> {
  return mill.map(type as never, inputs as AsyncIterable<never>, options) as AsyncGenerator<
    AnyOutcome,
    void,
    undefined
  >;
}

/** The result is gone, which says nothing of the task: it is done again, so often at most. */
const lost: readonly ErrorCode[] = ['RESULT_EXPIRED', 'TASK_NOT_FOUND'];
const mostLosses = 3;
/** Somebody ended the task as a whole. */
const ended: readonly ErrorCode[] = ['CANCELLED', 'EXPIRED', 'WAIT_TIMEOUT'];

interface OutcomeParams<Item> {
  readonly mill: AnyMill;
  readonly recipe: Recipe<Item>;
  readonly options: MapOptions;
}

/**
 * Finds what became of each item of a task. One that failed is done again without the items at fault, or in halves when nobody knows
 * which they are, so that no item fails for another.
 */
export class TaskOutcomes<Item> {
  private readonly params: OutcomeParams<Item>;

  constructor(params: OutcomeParams<Item>) {
    this.params = params;
  }

  /** One for each item, in order. @throws MillraceError what is no fault of single items. */
  async of(items: readonly Item[], outcome: AnyOutcome, losses = 0): Promise<(Row | LineFault)[]> {
    const { recipe } = this.params;
    if (outcome.status === 'succeeded') return [...recipe.rowsOf(outcome.output, items)];
    const { error } = outcome;
    const faults = faultsIn(error, recipe.itemsPath);
    if (isFatal(error, faults, recipe)) throw error;
    if (lost.includes(error.code) && losses < mostLosses)
      return await this.again(items, [items.map((_, at) => at)], losses + 1);
    const isOfAll = items.length === 1 || ended.includes(error.code) || lost.includes(error.code);
    if (isOfAll) return items.map((_, at) => faults.get(at) ?? faultOf(error));
    const places = items.map((_, at) => at).filter((at) => !faults.has(at));
    const groups = faults.size > 0 ? [places] : halves(places);
    const rows = await this.again(
      items,
      groups.filter(({ length }) => length > 0),
      losses,
    );
    return items.map((_, at) => faults.get(at) ?? (rows[at] as Row | LineFault));
  }

  /** Some items again, by their places; those of a group in one task. */
  private async again(
    items: readonly Item[],
    groups: readonly number[][],
    losses: number,
  ): Promise<(Row | LineFault)[]> {
    const { mill, recipe, options } = this.params;
    const rows = new Array<Row | LineFault>(items.length);
    const picked = groups.map((places) => places.flatMap((at) => items.slice(at, at + 1)));
    const work = { type: recipe.type, inputs: picked.map((group) => recipe.inputOf(group)), options };
    for await (const outcome of mapAny(mill, work)) {
      const found = await this.of(picked[outcome.index] ?? [], outcome, losses);
      for (const [index, at] of (groups[outcome.index] ?? []).entries()) rows[at] = found[index] as Row | LineFault;
    }
    return rows;
  }
}

function isFatal(
  error: MillraceError,
  faults: ReadonlyMap<number, LineFault>,
  { fatal, itemsPath }: Pick<Recipe<unknown>, 'fatal' | 'itemsPath'>,
): boolean {
  if (fatal.includes(error.code)) return true;
  // Of a task with items, what is wrong with none of them is wrong with the options.
  return error.code === 'INVALID_INPUT' && itemsPath !== undefined && faults.size === 0;
}

function halves(places: readonly number[]): number[][] {
  const middle = Math.ceil(places.length / 2);
  return [places.slice(0, middle), places.slice(middle)];
}

/** The items that a failed task says are at fault, by their places. */
function faultsIn(error: MillraceError, itemsPath: string | undefined): Map<number, LineFault> {
  const faults = new Map<number, LineFault>();
  if (itemsPath === undefined) return faults;
  for (const { index, code } of error.items)
    faults.set(index, { code, message: withoutPlace(error, itemsPath).message });
  for (const { path, got, expected } of error.problems) {
    const place = path.startsWith(`${itemsPath}[`) ? Number.parseInt(path.slice(itemsPath.length + 1), 10) : Number.NaN;
    if (Number.isInteger(place)) faults.set(place, { code: error.code, message: `Got ${got}, expected ${expected}.` });
  }
  return faults;
}

function faultOf({ code, message }: MillraceError): LineFault {
  return { code, message };
}

/** The place in the task says nothing to whoever knows lines. */
function withoutPlace(error: MillraceError, itemsPath: string): LineFault {
  const { code, message } = error;
  return {
    code,
    message: message.replaceAll(new RegExp(`${itemsPath.replaceAll('.', '\\.')}\\[\\d+\\]:? ?`, 'g'), ''),
  };
}

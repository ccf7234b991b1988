import { Change } from '../../change.ts';
import type { MapOptions } from '../../map.ts';
import type { LineFault } from '../line-fault.ts';
import type { AnyMill } from '../open-mill.ts';
import type { Row } from '../writers/row-format.ts';
import type { Part } from './parts.ts';
import type { Recipe } from './recipe.ts';
import { mapAny, TaskOutcomes } from './task-outcomes.ts';

/** Parts without an item that wait for their turn: there is no end to bad lines. */
const mostBad = 16;

interface FlowParams<Item> {
  readonly mill: AnyMill;
  readonly recipe: Recipe<Item>;
  readonly parts: AsyncIterable<Part<Item>>;
  readonly options: MapOptions;
  /** Takes the parts in order, one at a time: what became of each item, and what it is that computes them if that is known. */
  readonly settle: (part: Part<Item>, rows: readonly (Row | LineFault)[], maker: string | undefined) => Promise<void>;
}

/**
 * Parts to tasks, tasks to rows, in order. Parts without an item are no tasks: they are settled when their turn comes, by whoever is
 * then awake. That is the loop over the outcomes, or, while no task is under way and that loop sleeps, the one that reads.
 */
export class TaskFlow<Item> {
  private readonly params: FlowParams<Item>;
  private readonly outcomes: TaskOutcomes<Item>;
  private readonly waiting: Part<Item>[] = [];
  private readonly room = new Change();

  constructor(params: FlowParams<Item>) {
    this.params = params;
    this.outcomes = new TaskOutcomes(params);
  }

  /** Resolves when all parts are settled. @throws what the mill, the parts or `settle` throw; then no task is left under way. */
  async run(): Promise<void> {
    const { mill, recipe, options } = this.params;
    for await (const outcome of mapAny(mill, { type: recipe.type, inputs: this.inputs(), options })) {
      await this.settleBad();
      const [part] = this.waiting;
      if (part === undefined) throw new Error('an outcome of no part');
      const maker = outcome.status === 'succeeded' ? recipe.makerOf(outcome.output) : undefined;
      await this.params.settle(part, await this.outcomes.of(part.items, outcome), maker);
      this.passed();
    }
    await this.settleBad();
  }

  private async *inputs(): AsyncGenerator<unknown, void, undefined> {
    for await (const part of this.params.parts) {
      this.waiting.push(part);
      if (part.items.length > 0) yield this.params.recipe.inputOf(part.items);
      else await this.placeBad();
    }
  }

  private async placeBad(): Promise<void> {
    for (;;) {
      const bad = this.waiting.filter(({ items }) => items.length === 0).length;
      if (bad === this.waiting.length) return await this.settleBad();
      if (bad < mostBad) return;
      await this.room.wait();
    }
  }

  /** Settles the parts without an item that come next. */
  private async settleBad(): Promise<void> {
    for (let [part] = this.waiting; part?.items.length === 0; [part] = this.waiting) {
      await this.params.settle(part, [], undefined);
      this.passed();
    }
  }

  private passed(): void {
    this.waiting.shift();
    this.room.tell();
  }
}

import type { LineOutcome, Unit } from './unit.ts';
import type { Window } from './window.ts';

interface UnitFlowParams {
  readonly units: AsyncGenerator<Unit>;
  readonly window: Window;
  readonly work: (unit: Unit) => Promise<LineOutcome[]>;
}

/** What there is next: a unit that is done, nothing before the window has room again, nothing before `due`, or nothing at all. */
export type FlowStep =
  | { readonly kind: 'done'; readonly unit: Unit; readonly outcomes: LineOutcome[] }
  | { readonly kind: 'full' }
  | { readonly kind: 'due' }
  | { readonly kind: 'end' };

interface UnderWay {
  readonly unit: Unit;
  readonly step: Promise<FlowStep>;
}

/** Works on units side by side, as many as the window lets in, and hands them on in their order. */
export class UnitFlow {
  private readonly params: UnitFlowParams;
  private readonly underWay: UnderWay[] = [];
  private filled = false;
  private stopped = false;
  private failure: { readonly error: unknown } | undefined;
  private wake: () => void = () => {};
  private readonly filling: Promise<void>;

  constructor(params: UnitFlowParams) {
    this.params = params;
    this.filling = this.fill();
  }

  /** @throws what making a unit threw, or the work on the one whose turn it is. */
  async next(due: Promise<void>): Promise<FlowStep> {
    for (;;) {
      const [head] = this.underWay;
      // What came before it is not lost over it.
      if (head === undefined && this.failure !== undefined) throw this.failure.error;
      if (head === undefined && this.filled) return { kind: 'end' };
      if (head === undefined && this.params.window.isFull) return { kind: 'full' };
      const woken = new Promise<undefined>((resolve) => {
        this.wake = () => resolve(undefined);
      });
      const isDue = due.then((): FlowStep => ({ kind: 'due' }));
      const step = await Promise.race(head === undefined ? [woken, isDue] : [head.step, woken, isDue]);
      if (step?.kind === 'done') this.underWay.shift();
      if (step !== undefined) return step;
    }
  }

  /** Makes no more units; those under way end as their signal says. Must be called in the end. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.params.window.abandon();
    await this.filling;
  }

  private async fill(): Promise<void> {
    const { units, window, work } = this.params;
    try {
      for await (const unit of units) {
        if (this.stopped) return;
        const entered = window.enter(unit);
        this.wake();
        await entered;
        if (this.stopped) return;
        const step = work(unit).then((outcomes): FlowStep => ({ kind: 'done', unit, outcomes }));
        // It is heard when its turn has come; until then it must not be a rejection that nobody handles.
        step.catch(() => {});
        this.underWay.push({ unit, step });
        this.wake();
      }
      this.filled = true;
    } catch (error) {
      this.failure = { error };
    }
    this.wake();
  }
}

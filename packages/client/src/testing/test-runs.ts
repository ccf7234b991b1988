import { MillraceError } from '@millrace/shared/errors';
import type { RunLineOutcome, RunRequest, RunTransport } from '../run-transport.ts';
import type { RunPage, RunView } from '../run-view.ts';
import type { CallOptions } from '../transport.ts';
import type { TestMill } from './test-mill.ts';
import { TestRun } from './test-run.ts';

/** Does something as every call of the double does. */
type Call = <T>(options: CallOptions, act: () => T) => Promise<T>;

/** The runs of the test double. */
export class TestRuns implements RunTransport {
  private readonly mill: TestMill;
  private readonly call: Call;

  constructor(mill: TestMill, call: Call) {
    this.mill = mill;
    this.call = call;
  }

  async submit(request: RunRequest, options: CallOptions): Promise<RunView> {
    const inputs: unknown[] = [];
    for await (const text of request.source.texts()) {
      options.signal?.throwIfAborted();
      inputs.push(JSON.parse(text));
    }
    return await this.call(options, () => {
      const run = new TestRun(this.mill, request, inputs);
      this.mill.runs.push(run);
      return run.view();
    });
  }

  get(id: string, options: CallOptions): Promise<RunView> {
    return this.call(options, () => this.find(id).view());
  }

  list({ limit, after }: { limit: number; after?: string | undefined }, options: CallOptions): Promise<RunPage> {
    return this.call(options, () => {
      if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
        throw new MillraceError('INVALID_REQUEST', `limit: got ${limit}, expected 1 to 100.`);
      }
      const newest = this.mill.runs.toReversed();
      const start = after === undefined ? 0 : newest.indexOf(this.find(after)) + 1;
      const runs = newest.slice(start, start + limit).map((run) => run.view());
      return { runs, after: start + limit < newest.length ? (runs.at(-1)?.id ?? null) : null };
    });
  }

  cancel(id: string, options: CallOptions): Promise<RunView> {
    return this.call(options, () => {
      const run = this.find(id);
      run.cancel();
      return run.view();
    });
  }

  async *outcomes({ id }: RunView, options: CallOptions): AsyncGenerator<RunLineOutcome, void, undefined> {
    yield* structuredOutcomes(await this.call(options, () => this.find(id).outcomes()));
  }

  private find(id: string): TestRun {
    const run = this.mill.runs.find((one) => one.id === id);
    if (run === undefined) throw new MillraceError('RUN_NOT_FOUND', `There is no run ${JSON.stringify(id)}.`);
    return run;
  }
}

/** Nobody's changes reach what the mill keeps. */
function* structuredOutcomes(outcomes: readonly RunLineOutcome[]): Generator<RunLineOutcome> {
  for (const outcome of outcomes) {
    yield 'output' in outcome ? { ...outcome, output: structuredClone(outcome.output) } : outcome;
  }
}

import { MultiBar } from 'cli-progress';
import { count, perSecond, plural, time } from '../amounts.ts';
import type { TextSink } from '../shell.ts';
import { type Amounts, RateMeter } from './rate-meter.ts';

/** What is shown of a run. */
export interface ProgressFacts extends Amounts {
  readonly failed: number;
}

/** What a person sees while a run goes on. */
export interface Progress {
  /** A line above it. */
  say(text: string): void;
  update(facts: ProgressFacts): void;
  /** What keeps it from going on; undefined when nothing does. */
  hold(reason: string | undefined): void;
  /** It ends and leaves what was said. May be called twice. */
  stop(): void;
}

interface ProgressParams {
  readonly name: string;
  /** What is counted, e.g. line. */
  readonly unit: string;
  /** Of the input, in bytes; undefined when nobody knows. */
  readonly size: number | undefined;
  readonly err: TextSink;
  readonly now: () => number;
}

const barWidth = 24;
/** Where no bar can be drawn a line is written so often, in ms. */
const lineEveryMs = 30_000;

/** A bar on a terminal, else a line every half minute. */
export function openProgress(params: ProgressParams): Progress {
  return params.err.isTerminal ? new BarProgress(params) : new LineProgress(params);
}

/** Says nothing but what is said. */
export function silentProgress(err: TextSink): Progress {
  return { say: (text) => err.line(text), update: () => {}, hold: () => {}, stop: () => {} };
}

/** The words of a progress: how much, how fast, how much longer. */
class Account {
  private readonly params: ProgressParams;
  private readonly meter: RateMeter;
  private facts: ProgressFacts = { records: 0, bytes: 0, failed: 0 };
  held: string | undefined;

  constructor(params: ProgressParams) {
    this.params = params;
    this.meter = new RateMeter(params.now);
  }

  update(facts: ProgressFacts): void {
    this.facts = facts;
    this.meter.note(facts);
  }

  /** From 0 to 1; undefined without a size. */
  get share(): number | undefined {
    const { size } = this.params;
    return size === undefined ? undefined : Math.min(1, size === 0 ? 1 : this.facts.bytes / size);
  }

  text(): string {
    const { records, failed } = this.facts;
    const rate = this.meter.perSecond;
    const parts = [plural(records, this.params.unit)];
    if (rate !== undefined) parts.push(perSecond(rate.records));
    const left = this.msLeft(rate);
    if (left !== undefined) parts.push(`${time(left)} left`);
    if (failed > 0) parts.push(`${count(failed)} failed`);
    if (this.held !== undefined) parts.push(this.held);
    return parts.join('  ');
  }

  private msLeft(rate: Amounts | undefined): number | undefined {
    const { size } = this.params;
    if (size === undefined || rate === undefined || rate.bytes <= 0) return undefined;
    return (Math.max(0, size - this.facts.bytes) / rate.bytes) * 1000;
  }
}

class BarProgress implements Progress {
  private readonly account: Account;
  private readonly bars: MultiBar;

  constructor(params: ProgressParams) {
    this.account = new Account(params);
    this.bars = new MultiBar({
      stream: params.err.stream as NodeJS.WritableStream,
      format: () => this.line(params.name),
      fps: 4,
      // Cut at the edge instead of switching the terminal's wrapping off, which an end by force would leave off.
      linewrap: true,
      gracefulExit: false,
      clearOnComplete: true,
      emptyOnZero: true,
    });
    this.bars.create(1, 0);
  }

  say(text: string): void {
    this.bars.log(`${text}\n`);
  }

  update(facts: ProgressFacts): void {
    this.account.update(facts);
  }

  hold(reason: string | undefined): void {
    this.account.held = reason;
  }

  stop(): void {
    if (!this.bars.isActive) return;
    // What was said last is still to be drawn.
    this.bars.update();
    this.bars.stop();
  }

  private line(name: string): string {
    const { share } = this.account;
    if (share === undefined) return `${name}  ${this.account.text()}`;
    const full = Math.round(share * barWidth);
    const bar = '█'.repeat(full) + '░'.repeat(barWidth - full);
    return `${name} ${bar} ${Math.floor(share * 100)} %  ${this.account.text()}`;
  }
}

class LineProgress implements Progress {
  private readonly account: Account;
  private readonly params: ProgressParams;
  private readonly timer: NodeJS.Timeout;

  constructor(params: ProgressParams) {
    this.params = params;
    this.account = new Account(params);
    this.timer = setInterval(() => this.tell(), lineEveryMs).unref();
  }

  say(text: string): void {
    this.params.err.line(text);
  }

  update(facts: ProgressFacts): void {
    this.account.update(facts);
  }

  hold(reason: string | undefined): void {
    const { held } = this.account;
    this.account.held = reason;
    if (reason !== undefined && held === undefined) this.tell();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tell(): void {
    const { share } = this.account;
    const percent = share === undefined ? '' : `${Math.floor(share * 100)} %  `;
    this.params.err.line(`${this.params.name}: ${percent}${this.account.text()}`);
  }
}

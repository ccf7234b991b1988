import type { CallStat, ItemOutcome } from '@millrace/shared/tasks/processor';
import type { Family } from '@millrace/shared/tasks/task';

/** How a lane is to be set up; the first message that it gets. */
export interface LaneSetup {
  readonly family: Family;
  readonly modelsDir: string;
  /** ONNX threads. */
  readonly threads: number;
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
  /** Modules with processors of the user's own. */
  readonly plugins: readonly string[];
}

/** A model that a lane has loaded. */
export interface LoadedModel {
  readonly name: string;
  readonly fingerprint: string;
}

/** Worker to lane. Vectors and texts pass whole: the channel is structured clone (`serialization: 'advanced'`). */
export type ToLane =
  | { readonly kind: 'setup'; readonly setup: LaneSetup }
  | { readonly kind: 'run'; readonly call: number; readonly type: string; readonly items: readonly unknown[] };

/** Lane to worker: `ready` or `unable` once; then `began` and `done` or `threw` for each call, in order. */
export type FromLane =
  | { readonly kind: 'ready'; readonly models: readonly LoadedModel[]; readonly rssBytes: number }
  | { readonly kind: 'unable'; readonly message: string }
  | {
      readonly kind: 'done';
      readonly call: number;
      readonly outcomes: readonly ItemOutcome[];
      readonly stats: Partial<Record<CallStat, number>>;
      /** When it began to compute, and when it ended; ms since 1970. */
      readonly beganAt: number;
      readonly endedAt: number;
      readonly rssBytes: number;
    }
  | { readonly kind: 'threw'; readonly call: number; readonly message: string };

import type { ReplicaBeat } from '@millrace/shared/redis/workers';
import type { CallStat, ItemOutcome } from '@millrace/shared/tasks/processor';
import type { Family } from '@millrace/shared/tasks/task';
import type { VectorSetup } from '../vector/vector-side.ts';

/** How a lane is to be set up; the first message that it gets. */
export interface LaneSetup {
  readonly family: Family;
  readonly modelsDir: string;
  /** What the models that it loads may take together, in bytes. */
  readonly modelMemory: number;
  /** How far the process stands behind others, as Unix counts it. */
  readonly nice: number;
  /** ONNX threads. */
  readonly threads: number;
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
  /** Modules with processors of the user's own. */
  readonly plugins: readonly string[];
  /** Of the lanes of the vector family alone. */
  readonly vector: VectorSetup;
  readonly logLevel: string;
}

/** A model that a lane has loaded. */
export interface LoadedModel {
  readonly name: string;
  readonly fingerprint: string;
}

/** Worker to lane. Vectors and texts pass whole: the channel is structured clone (`serialization: 'advanced'`). */
export type ToLane =
  | { readonly kind: 'setup'; readonly setup: LaneSetup }
  | {
      readonly kind: 'run';
      readonly call: number;
      readonly type: string;
      readonly items: readonly unknown[];
      /** Before the calls that have not begun. */
      readonly ahead: boolean;
    }
  /** The call has taken too long: a lane that can ends it with outcomes, another is killed. */
  | { readonly kind: 'stop'; readonly call: number };

/**
 * Lane to worker: `ready` or `unable` once; `models` when it has loaded others; `replicas` now and then; and `began`, then
 * `done` or `threw`, for each call, one call after the other.
 */
export type FromLane =
  | { readonly kind: 'ready'; readonly models: readonly LoadedModel[]; readonly rssBytes: number }
  | { readonly kind: 'unable'; readonly message: string }
  | { readonly kind: 'models'; readonly models: readonly LoadedModel[] }
  | { readonly kind: 'replicas'; readonly replicas: readonly ReplicaBeat[] }
  | { readonly kind: 'began'; readonly call: number }
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
  | { readonly kind: 'threw'; readonly call: number; readonly message: string; readonly rssBytes: number };

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MillraceError } from '@millrace/shared/errors';
import type { ReplicaBeat } from '@millrace/shared/redis/workers';
import type { FromLane, LaneSetup, LoadedModel, ToLane } from './protocol.ts';

/** A call on its way through a lane. */
export interface LaneCall {
  readonly id: number;
  readonly type: string;
  readonly items: readonly unknown[];
}

/** How a call ended. */
export type CallEnd = Extract<FromLane, { kind: 'done' | 'threw' }>;

interface LaneEvents {
  /** A call ended; another may be sent. */
  onEnd(call: LaneCall, end: CallEnd): void;
  /** A call has come to its turn. */
  onBegin(call: LaneCall): void;
  /** The process is gone. Its first unfinished call was computing, or next (it may be at fault); the others had not begun. */
  onDeath(unfinished: readonly LaneCall[], reason: string): void;
}

/** Calls that a lane holds at most: one computes, one waits in its process. */
export const callsPerLane = 2;
/** With one that goes ahead of the one that waits. */
export const callsPerLaneAtMost = callsPerLane + 1;

/** How long a lane may take to load, in ms. */
const startTimeoutMs = 60_000;
/** How long a lane that can stop by itself may take to do so, in ms. */
const stopWithinMs = 5000;

/** Why a lane is to end that has done nothing wrong: its core belongs to another worker now, or it is above its memory limit. */
export type LaneLeave = 'retired' | 'recycled';

/**
 * One compute process and its life: starting -> ready (-> leaving) -> dead. It holds up to two calls, so that it never idles
 * while the main thread settles the one before, and a third that is more urgent than the one that waits.
 */
export class Lane {
  readonly id: string;
  readonly ready: Promise<readonly LoadedModel[]>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  /** Its memory when its last call ended. */
  rssBytes: number | null = null;
  /** The models that it has loaded. */
  models: readonly LoadedModel[] = [];
  /** What it says of its copies of collections. */
  replicas: readonly ReplicaBeat[] = [];
  /** Its memory when it was ready. */
  freshBytes: number | null = null;
  private readonly child: ChildProcess;
  private readonly events: LaneEvents;
  private readonly unfinished: LaneCall[] = [];
  /** When the first of them began, by this process's clock in ms; undefined while none has. */
  private begunAt: number | undefined;
  private deathReason: string | undefined;
  private isReady = false;
  private isDead = false;
  private leave: LaneLeave | undefined;
  private readonly stopsByItself: boolean;

  constructor(id: string, setup: LaneSetup, events: LaneEvents) {
    this.id = id;
    this.events = events;
    this.stopsByItself = setup.family === 'vector';
    this.child = fork(fileURLToPath(new URL('./lane-process.js', import.meta.url)), [], {
      serialization: 'advanced',
      // A lane says nothing itself; what native code or a library prints goes to the worker's stderr.
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    });
    this.exited = new Promise((resolve) => this.child.once('exit', () => resolve()));
    this.ready = this.start(setup);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get state(): 'starting' | 'idle' | 'busy' | 'dead' {
    if (this.isDead) return 'dead';
    if (!this.isReady) return 'starting';
    return this.unfinished.length === 0 ? 'idle' : 'busy';
  }

  /** Whether it may get calls: it is ready and is not to end. */
  get takesCalls(): boolean {
    return this.isReady && !this.isDead && this.leave === undefined;
  }

  /** Why it is to end when it is idle, once it is. */
  get leaving(): LaneLeave | undefined {
    return this.leave;
  }

  /** The calls that it holds; the first is computing, or next. */
  get calls(): readonly LaneCall[] {
    return this.unfinished;
  }

  /** Since when the first call computes, by performance.now(); undefined while none does. */
  get computingSince(): number | undefined {
    return this.begunAt;
  }

  /** `ahead`: before those that wait in it. */
  run(call: LaneCall, { ahead = false } = {}): void {
    // Which of them is next is for the process to say: it may have begun one that is still taken for waiting here.
    this.unfinished.splice(ahead ? 1 : this.unfinished.length, 0, call);
    this.send({ kind: 'run', call: call.id, type: call.type, items: call.items, ahead });
  }

  /** Ends the process at once, in mid-run too; onDeath follows. */
  kill(reason: string): void {
    this.deathReason ??= reason;
    this.child.kill('SIGKILL');
  }

  /**
   * Ends a call that takes too long. Killing the process is the only way where native code computes in one piece; a lane of the
   * vector family computes in slices and holds indexes that took long to build: it is asked first.
   */
  interrupt(call: LaneCall, reason: string): void {
    if (!this.stopsByItself) {
      this.kill(reason);
      return;
    }
    this.send({ kind: 'stop', call: call.id });
    setTimeout(() => {
      if (this.unfinished.includes(call)) this.kill(`${reason}, and it did not stop`);
    }, stopWithinMs).unref();
  }

  /** What it holds is computed to its end; then the process ends, and onDeath follows with nothing unfinished. */
  endWhenIdle(leave: LaneLeave): void {
    this.leave ??= leave;
    if (this.unfinished.length === 0) this.kill(leave);
  }

  private start(setup: LaneSetup): Promise<readonly LoadedModel[]> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.kill(`it was not ready within ${startTimeoutMs} ms`), startTimeoutMs);
      this.child.on('message', (message: FromLane) => {
        if (message.kind === 'ready') {
          clearTimeout(timer);
          this.isReady = true;
          this.freshBytes = message.rssBytes;
          this.rssBytes = message.rssBytes;
          this.models = message.models;
          resolve(message.models);
        } else if (message.kind === 'unable') this.kill(message.message);
        else if (message.kind === 'models') this.models = message.models;
        else if (message.kind === 'replicas') this.replicas = message.replicas;
        else if (message.kind === 'began') this.begin(message.call);
        else this.end(message);
      });
      // Sending to a process that has just died; its exit follows.
      this.child.on('error', () => {});
      this.child.on('exit', (code, signal) => {
        clearTimeout(timer);
        const reason = this.deathReason ?? `it ended with ${signal ?? `exit code ${code}`}`;
        reject(new MillraceError('LANE_FAILED', `A compute process for ${setup.family} did not start: ${reason}`));
        this.die(reason);
      });
      this.send({ kind: 'setup', setup });
    });
  }

  private begin(id: number): void {
    const index = this.unfinished.findIndex((call) => call.id === id);
    const [call] = index < 0 ? [] : this.unfinished.splice(index, 1);
    if (call === undefined || this.begunAt !== undefined) {
      this.kill(`it began call ${id} out of turn`);
      return;
    }
    this.unfinished.unshift(call);
    this.begunAt = performance.now();
    this.events.onBegin(call);
  }

  private end(message: CallEnd): void {
    const call = this.unfinished[0];
    // Another number would be a fault of the lane's process.
    if (call === undefined || call.id !== message.call || this.begunAt === undefined) {
      this.kill(`it answered call ${message.call} out of turn`);
      return;
    }
    this.unfinished.shift();
    this.begunAt = undefined;
    this.rssBytes = message.rssBytes;
    this.events.onEnd(call, message);
    if (this.leave !== undefined) this.endWhenIdle(this.leave);
  }

  private die(reason: string): void {
    if (this.isDead) return;
    this.isDead = true;
    this.events.onDeath(this.unfinished.splice(0), reason);
  }

  private send(message: ToLane): void {
    if (this.child.connected) this.child.send(message);
  }
}

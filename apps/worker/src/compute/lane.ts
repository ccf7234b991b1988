import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MillraceError } from '@millrace/shared/errors';
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
  /** The process is gone. Its first unfinished call was computing (it may be at fault); the others had not begun. */
  onDeath(unfinished: readonly LaneCall[], reason: string): void;
}

/** Calls that a lane holds at most: one computes, one waits in its process. */
export const callsPerLane = 2;

/** How long a lane may take to load, in ms. */
const startTimeoutMs = 60_000;

/**
 * One compute process and its life: starting -> ready -> dead. It holds up to two calls, so that it never idles while the main
 * thread settles the one before.
 */
export class Lane {
  readonly id: string;
  readonly ready: Promise<readonly LoadedModel[]>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  rssBytes: number | null = null;
  private readonly child: ChildProcess;
  private readonly events: LaneEvents;
  private readonly unfinished: LaneCall[] = [];
  private deathReason: string | undefined;
  private isReady = false;
  private isDead = false;

  constructor(id: string, setup: LaneSetup, events: LaneEvents) {
    this.id = id;
    this.events = events;
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

  /** The calls that it holds; the first is computing. */
  get calls(): readonly LaneCall[] {
    return this.unfinished;
  }

  run(call: LaneCall): void {
    this.unfinished.push(call);
    this.send({ kind: 'run', call: call.id, type: call.type, items: call.items });
    if (this.unfinished[0] === call) this.events.onBegin(call);
  }

  /** Ends the process at once, in mid-run too; onDeath follows. */
  kill(reason: string): void {
    this.deathReason ??= reason;
    this.child.kill('SIGKILL');
  }

  private start(setup: LaneSetup): Promise<readonly LoadedModel[]> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.kill(`it was not ready within ${startTimeoutMs} ms`), startTimeoutMs);
      this.child.on('message', (message: FromLane) => {
        if (message.kind === 'ready') {
          clearTimeout(timer);
          this.isReady = true;
          this.rssBytes = message.rssBytes;
          resolve(message.models);
        } else if (message.kind === 'unable') this.kill(message.message);
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

  private end(message: CallEnd): void {
    const call = this.unfinished[0];
    // Calls end in the order they were sent; another number would be a fault of the lane's process.
    if (call === undefined || call.id !== message.call) {
      this.kill(`it answered call ${message.call} out of turn`);
      return;
    }
    this.unfinished.shift();
    if (message.kind === 'done') this.rssBytes = message.rssBytes;
    const [next] = this.unfinished;
    if (next !== undefined) this.events.onBegin(next);
    this.events.onEnd(call, message);
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

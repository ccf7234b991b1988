import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/**
 * One life of a process.
 *
 * @typedef {object} Life
 * @property {number} pid
 * @property {string | undefined} workerId
 * @property {boolean} isUp it has said that it is ready
 * @property {boolean} isFrozen
 * @property {number | undefined} diedAt ms since 1970
 */
/** @typedef {{ level: number, event?: string, msg?: string, workerId?: string, error?: string, code?: string }} LogLine */
/**
 * @typedef {object} AppParams
 * @property {string} name
 * @property {string} main the built program
 * @property {string} readyEvent of its log
 * @property {Record<string, string>} env
 * @property {string} folder for its log
 * @property {(name: string, line: LogLine) => void} onTrouble a line of its log of level warn and above
 * @property {(name: string, end: string) => void} onUnasked it ended, and it was not the nemesis
 */

const restartAfterMs = 500;
const stopWithinMs = 20_000;
const warnLevel = 40;

/** A process that is started again when it dies, as an orchestrator would. */
export class AppProcess {
  /** @type {Life[]} */
  lives = [];
  #params;
  #closing = false;
  #killed = false;
  /** @type {ChildProcess | undefined} */
  #child;
  /** @type {NodeJS.Timeout | undefined} */
  #restart;
  #log;

  /** @param {AppParams} params */
  constructor(params) {
    this.#params = params;
    this.#log = createWriteStream(join(params.folder, `${params.name}.log`), { flags: 'a' });
    this.#start();
  }

  get name() {
    return this.#params.name;
  }

  /** @returns {Life} the present one, or the last */
  get life() {
    return /** @type {Life} */ (this.lives.at(-1));
  }

  get isServing() {
    const { isUp, isFrozen, diedAt } = this.life;
    return isUp && !isFrozen && diedAt === undefined;
  }

  kill() {
    this.#killed = true;
    this.#child?.kill('SIGKILL');
  }

  freeze() {
    this.life.isFrozen = true;
    this.#child?.kill('SIGSTOP');
  }

  thaw() {
    if (!this.life.isFrozen) return;
    this.life.isFrozen = false;
    this.#child?.kill('SIGCONT');
  }

  /** Ends it for good, politely. @returns {Promise<string>} how it ended */
  async stop() {
    this.#closing = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined || this.life.diedAt !== undefined) return 'exit 0';
    this.thaw();
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    const [code, signal] = await exited;
    clearTimeout(timer);
    this.#log.end();
    return endOf(code, signal);
  }

  #start() {
    const { main, env, folder } = this.#params;
    // Nothing of the caller's environment but PATH, and no `.env` in that folder: the run must be the seed's alone.
    const child = fork(main, [], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    /** @type {Life} */
    const life = { pid: child.pid ?? 0, workerId: undefined, isUp: false, isFrozen: false, diedAt: undefined };
    this.lives.push(life);
    this.#child = child;
    this.#killed = false;
    this.#follow(child, life);
    child.once('exit', (code, signal) => this.#ended(life, endOf(code, signal)));
  }

  /**
   * @param {ChildProcess} child
   * @param {Life} life
   */
  #follow(child, life) {
    const { name, readyEvent, onTrouble } = this.#params;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (text) => {
        if (!this.#log.writableEnded) this.#log.write(`${text}\n`);
        const line = parseLine(text);
        life.workerId ??= line.workerId;
        if (line.event === readyEvent) life.isUp = true;
        if (line.level >= warnLevel) onTrouble(name, line);
      });
    }
  }

  /**
   * @param {Life} life
   * @param {string} end
   */
  #ended(life, end) {
    life.diedAt = Date.now();
    if (this.#closing) return;
    if (!this.#killed) this.#params.onUnasked(this.name, end);
    this.#restart = setTimeout(() => this.#start(), restartAfterMs);
  }
}

/**
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
function endOf(code, signal) {
  return signal ?? `exit ${code}`;
}

/**
 * @param {string} text
 * @returns {LogLine}
 */
function parseLine(text) {
  try {
    return text.startsWith('{') ? JSON.parse(text) : { level: warnLevel, msg: text };
  } catch {
    return { level: warnLevel, msg: text };
  }
}

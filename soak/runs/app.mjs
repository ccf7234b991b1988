import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** An API or a worker, with its log and its memory. */
export class App {
  #child;
  #exited;
  #ready;

  /**
   * @param {'api' | 'worker'} name
   * @param {Record<string, string>} env
   */
  constructor(name, env) {
    this.#child = spawn(process.execPath, [`${root}/apps/${name}/dist/main.js`], {
      cwd: root,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#child, 'exit');
    const event = name === 'api' ? 'api.listening' : 'worker.started';
    this.#ready = new Promise((resolve, reject) => {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        if (line.includes(`"event":"${event}"`)) resolve(undefined);
        if (/"level":[56]0/.test(line)) process.stderr.write(`${name}: ${line}\n`);
      });
      void this.#exited.then(([code]) => reject(new Error(`the ${name} ended with ${code}`)));
    });
    this.#ready.catch(() => {});
  }

  async ready() {
    await this.#ready;
    return this;
  }

  /** The most memory that it ever had, in MB. */
  get peakMegabytes() {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'));
    return Math.round((Number(line?.[1]) * 1024) / 1e6);
  }

  /** @param {NodeJS.Signals} signal */
  async stop(signal = 'SIGTERM') {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    await this.#exited;
  }
}

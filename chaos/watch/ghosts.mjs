import { existsSync, readFileSync } from 'node:fs';
import { lifeOf } from '../fleet.mjs';
import { pause } from '../pause.mjs';

/** @typedef {import('@millrace/shared/redis/workers').WorkerBeat} WorkerBeat */
/**
 * @typedef {object} GhostParams
 * @property {import('../fleet.mjs').Fleet} fleet
 * @property {import('./deaths.mjs').DeathWatch} deaths
 * @property {() => Promise<WorkerBeat[]>} heartbeats
 * @property {readonly string[]} apiUrls
 * @property {AbortSignal} signal
 */

const everyMs = 1000;
/** How long the dead may be listed. */
const listedMs = 15_000;
/** Tasks of a dead worker that are looked at in each round. */
const lookedAt = 3;

/** Looks for what is said to live and does not. */
export class GhostWatch {
  /** @type {Set<string>} */
  ghosts = new Set();
  /** Compute processes of the workers, by pid: the id of the worker. @type {Map<number, string>} */
  #lanes = new Map();
  #params;

  /** @param {GhostParams} params */
  constructor(params) {
    this.#params = params;
  }

  async run() {
    const { signal } = this.#params;
    while (!signal.aborted) {
      await this.look();
      await pause(everyMs, signal);
    }
  }

  async look() {
    await this.#lookAtBeats().catch(() => {}); // Redis is away
    await this.#lookAtTasks();
    this.#lookAtLanes();
  }

  async #lookAtBeats() {
    for (const { id, lanes } of await this.#params.heartbeats()) {
      for (const { pid } of lanes) if (pid !== null) this.#lanes.set(pid, id);
      if (this.#isLongDead(id)) this.ghosts.add(`worker ${id} is listed, and died more than 15 s ago`);
    }
  }

  async #lookAtTasks() {
    const { deaths, apiUrls } = this.#params;
    for (const { life, gone } of deaths.deaths) {
      const { workerId = '' } = life;
      if (!this.#isLongDead(workerId)) continue;
      for (const jobId of [...gone.keys()].slice(0, lookedAt)) {
        const view = await readView(apiUrls[0] ?? '', jobId);
        if (view?.state !== 'running' || view.worker !== workerId) continue;
        this.ghosts.add(`task ${jobId} is said to run in worker ${workerId}, which died more than 15 s ago`);
      }
    }
  }

  #lookAtLanes() {
    for (const [pid, workerId] of this.#lanes) {
      if (!this.#isLongDead(workerId)) continue;
      if (isLane(pid)) this.ghosts.add(`compute process ${pid} outlived its worker ${workerId} by more than 15 s`);
      else this.#lanes.delete(pid);
    }
  }

  /** @param {string} workerId */
  #isLongDead(workerId) {
    const diedAt = lifeOf(this.#params.fleet, workerId)?.diedAt;
    return diedAt !== undefined && Date.now() - diedAt > listedMs;
  }
}

/** Whether a pid is a compute process still; only Linux says what a process is. @param {number} pid */
function isLane(pid) {
  const file = `/proc/${pid}/cmdline`;
  try {
    return existsSync(file) && readFileSync(file, 'utf8').includes('lane-process');
  } catch {
    return false;
  }
}

/**
 * @param {string} apiUrl
 * @param {string} id
 * @returns {Promise<{ state: string, worker: string | null } | undefined>}
 */
async function readView(apiUrl, id) {
  try {
    const response = await fetch(`${apiUrl}/v1/tasks/${id}?result=false`, { signal: AbortSignal.timeout(5000) });
    return response.status === 200 ? /** @type {any} */ (await response.json()) : undefined;
  } catch {
    return undefined;
  }
}

import fc from 'fast-check';
import { pause, until } from '../chaos/pause.mjs';
import { createRandom } from '../chaos/random.mjs';
import { BareProducer, jobPlansOf } from './jobs.mjs';
import { faultOf, parsed } from './judge.mjs';
import { Known } from './known.mjs';
import { openMill, operationsOf } from './mill.mjs';
import { faultOfRaw, rawBytes } from './raw.mjs';
import { plansOf } from './requests.mjs';
import { Sender } from './send.mjs';
import { wireOf } from './wire.mjs';

/** @typedef {import('./requests.mjs').Plan} Plan */
/**
 * @typedef {object} FuzzParams
 * @property {import('./options.mjs').Options} options
 * @property {import('../bench/closers.mjs').Closers} closers
 * @property {AbortSignal} signal
 * @property {string} folder
 * @property {string} binary of Redis
 * @property {(text: string) => void} say
 */
/**
 * @typedef {object} Facts
 * @property {import('./options.mjs').Options} options
 * @property {number} sent
 * @property {number} raw
 * @property {number} jobs
 * @property {Map<number, number>} statuses
 * @property {Map<string, { count: number, example: string }>} faults
 * @property {import('../soak/curve.mjs').Sample[]} samples
 * @property {number} ms
 * @property {number} slowestMs
 * @property {string[]} deaths
 * @property {number} restarts of compute processes
 * @property {number} waiting
 */

/** Plans are made in pieces, each of a seed of its own. */
const plansAtOnce = 100;
/** One connection of raw bytes, and one job past the API, for so many requests. */
const requestsPerRaw = 25;
const requestsPerJob = 10;
const requestsPerTidying = 1000;
const sampleEveryMs = 500;
const heapEveryMs = 1000;
const saidEveryMs = 15_000;
/** What was accepted ends, but for tasks that take all their attempts and time, or wait for a worker that knows their type. */
const drainedWithinMs = 5000;

/** @param {FuzzParams} params @returns {Promise<Facts>} */
export async function runFuzz(params) {
  const { options, closers, signal, say } = params;
  const mill = await openMill(params);
  await mill.ask('/v1/collections/fuzz', { method: 'PUT', body: JSON.stringify({ dimensions: 3, metric: 'cosine' }) });
  const sender = new Sender({ port: mill.port, atOnce: options.atOnce });
  closers.add(() => sender.close());
  const producer = new BareProducer(mill);
  closers.add(() => producer.close());
  say('API and worker are up');
  const run = new Run({ options, mill, sender, producer, signal });
  const timer = setInterval(() => run.sample(), sampleEveryMs);
  const heapTimer = setInterval(() => void run.sampleHeap().catch(() => {}), heapEveryMs);
  const saying = setInterval(
    () => say(`${run.facts.sent.toLocaleString('en')} requests, ${run.facts.faults.size} kinds of faults`),
    saidEveryMs,
  );
  try {
    await run.all();
    await producer.tidy();
    await until(async () => (await producer.waiting()) === 0, {
      what: 'the end of all tasks',
      withinMs: drainedWithinMs,
      signal,
    }).catch(() => {});
  } finally {
    clearInterval(timer);
    clearInterval(heapTimer);
    clearInterval(saying);
  }
  run.sample();
  const { workers = [] } = await mill.ask('/v1/workers');
  const lanes = workers.flatMap((/** @type {any} */ { lanes: list = [] }) => list);
  const restarts = lanes.reduce((/** @type {number} */ sum, /** @type {any} */ lane) => sum + lane.restarts, 0);
  return { ...run.facts, deaths: mill.deaths, restarts, waiting: await producer.waiting() };
}

/** Sends what a seed says, so many at once, and judges each answer. */
class Run {
  #params;
  #plans;
  #jobs;
  #known = new Known();
  #random;
  #began = performance.now();
  #next = 0;
  /** @type {Plan[]} */
  #planned = [];
  /** @type {import('./jobs.mjs').JobPlan[]} */
  #plannedJobs = [];
  /** @type {Omit<Facts, 'deaths' | 'restarts' | 'waiting'>} */
  facts;

  /** @param {{ options: FuzzParams['options'], mill: import('./mill.mjs').FuzzedMill, sender: Sender, producer: BareProducer, signal: AbortSignal }} params */
  constructor(params) {
    const { mill, options } = params;
    this.#params = params;
    this.#random = createRandom(options.seed);
    this.#plans = plansOf(operationsOf(mill.document), mill.document.components.schemas);
    this.#jobs = jobPlansOf(mill.taskTypes);
    this.facts = {
      options,
      sent: 0,
      raw: 0,
      jobs: 0,
      statuses: new Map(),
      faults: new Map(),
      samples: [],
      ms: 0,
      slowestMs: 0,
    };
  }

  async all() {
    const { options } = this.#params;
    await Promise.all(Array.from({ length: options.atOnce }, () => this.#pump()));
    this.facts.ms = performance.now() - this.#began;
  }

  sample() {
    const { facts } = this;
    facts.samples.push({ texts: facts.sent, ms: performance.now() - this.#began, bytes: this.#params.mill.memory() });
  }

  /** What lives in the worker, garbage aside: its resident memory also follows how much garbage V8 lets lie. */
  async sampleHeap() {
    const bytes = { 'worker heap': await this.#params.mill.workerHeap() };
    this.facts.samples.push({ texts: this.facts.sent, ms: performance.now() - this.#began, bytes });
  }

  async #pump() {
    const { options, signal } = this.#params;
    while (this.#next < options.requests && !signal.aborted) {
      const at = this.#next;
      this.#next += 1;
      // In the order of the numbers, whoever is quicker: no answer decides about what is sent.
      const plan = this.#plan(at);
      const bytes =
        at % requestsPerRaw === 0 ? rawBytes(this.#random, this.#params.mill.keys['admin'] ?? '') : undefined;
      const job = at % requestsPerJob === 0 ? this.#job(at / requestsPerJob) : undefined;
      if (at % requestsPerTidying === 0) await this.#tidy();
      await this.#send(plan);
      if (bytes !== undefined) await this.#sendRaw(bytes);
      if (job !== undefined && (await this.#params.producer.add(job))) this.facts.jobs += 1;
    }
  }

  /** What piles up by what was asked, and not by a leak, is taken away: collections, which every worker holds, and what waits for long. */
  async #tidy() {
    const { mill, producer } = this.#params;
    await producer.tidy();
    const { collections = [] } = await mill.ask('/v1/collections');
    const others = collections.filter((/** @type {{ name: string }} */ { name }) => name !== 'fuzz');
    await Promise.all(
      others.map((/** @type {{ name: string }} */ { name }) =>
        mill.ask(`/v1/collections/${encodeURIComponent(name)}`, { method: 'DELETE' }).catch(() => {}),
      ),
    );
  }

  /** @param {number} at @returns {Plan} */
  #plan(at) {
    const place = at % plansAtOnce;
    if (place === 0)
      this.#planned = fc.sample(this.#plans, { seed: this.#params.options.seed + at, numRuns: plansAtOnce });
    return /** @type {Plan} */ (this.#planned[place]);
  }

  /** @param {number} at */
  #job(at) {
    const place = at % plansAtOnce;
    if (place === 0)
      this.#plannedJobs = fc.sample(this.#jobs, { seed: this.#params.options.seed - at, numRuns: plansAtOnce });
    return this.#plannedJobs[place];
  }

  /** @param {Plan} plan */
  async #send(plan) {
    const { sender, mill } = this.#params;
    const wire = wireOf(plan, { keys: mill.keys, known: this.#known });
    const answer = await sender.send(wire);
    const { facts } = this;
    facts.sent += 1;
    facts.slowestMs = Math.max(facts.slowestMs, answer.ms);
    facts.statuses.set(answer.status, (facts.statuses.get(answer.status) ?? 0) + 1);
    const { operation } = plan;
    const fault = faultOf(answer, { method: wire.method, operation: wire.isOperation ? operation : undefined });
    if (fault !== undefined) this.#blame(`${operation.method} ${operation.path}: ${fault}`, exampleOf(wire, answer));
    if (answer.status < 300) this.#known.learn(operation.path, parsed(answer.text));
    // A family that stands still would keep all that follows from being done.
    if (operation.path === '/v1/queues/{family}/pause' && answer.status === 200) {
      await pause(1);
      await Promise.all(
        ['text', 'inference', 'vector'].map((family) =>
          mill.ask(`/v1/queues/${family}/resume`, { method: 'POST', body: '' }),
        ),
      );
    }
  }

  /** @param {Buffer} bytes */
  async #sendRaw(bytes) {
    const text = await this.#params.sender.sendRaw(bytes);
    this.facts.raw += 1;
    const fault = faultOfRaw(text);
    if (fault !== undefined) this.#blame(`raw bytes: ${fault}`, JSON.stringify(bytes.toString('latin1').slice(0, 300)));
  }

  /**
   * @param {string} what
   * @param {string} example
   */
  #blame(what, example) {
    // Ids and numbers differ from one to the next of a kind.
    const kind = what.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\d{5,}/g, '…').slice(0, 400);
    const known = this.facts.faults.get(kind);
    this.facts.faults.set(kind, { count: (known?.count ?? 0) + 1, example: known?.example ?? example });
  }
}

/**
 * @param {import('./wire.mjs').Wire} wire
 * @param {import('./send.mjs').Answer} answer
 */
function exampleOf({ method, target, headers, body }, { status, ms }) {
  const { authorization: _key, ...rest } = headers;
  const shown = body === undefined ? '' : JSON.stringify(body.subarray(0, 500).toString());
  return `${method} ${target.slice(0, 300)} ${JSON.stringify(rest).slice(0, 300)} ${shown} -> ${status}, ${Math.round(ms)} ms`;
}

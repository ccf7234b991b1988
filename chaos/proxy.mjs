import { connect, createServer } from 'node:net';

/** @typedef {import('node:net').Socket} Socket */
/** @typedef {{ client: Socket, upstream: Socket | undefined }} Pair upstream: none while half open */
/**
 * `pass`: as if it were not there. `stall`: connections stand, no byte moves. `half-open`: what the other end has forgotten:
 * connections stand and are taken, and nothing is ever answered.
 *
 * @typedef {'pass' | 'stall' | 'half-open'} Mode
 */

/** A TCP proxy before Redis, that can be as bad as a network. */
export class RedisProxy {
  /** @type {Mode} */
  mode = 'pass';
  /** @type {Set<Pair>} */
  #pairs = new Set();
  #server = createServer((client) => this.#take(client));
  #target;

  /** @param {number} target the port that it leads to */
  constructor(target) {
    this.#target = target;
  }

  /** @returns {Promise<string>} its address, as a Redis URL */
  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
        resolve(`redis://127.0.0.1:${port}`);
      });
    });
  }

  stall() {
    this.mode = 'stall';
    for (const { client, upstream } of this.#pairs) {
      client.pause();
      upstream?.pause();
    }
  }

  halfOpen() {
    this.mode = 'half-open';
    for (const pair of this.#pairs) {
      pair.upstream?.destroy();
      pair.upstream = undefined;
      pair.client.resume();
    }
  }

  /** Breaks every connection by RST. */
  reset() {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy();
      upstream?.destroy();
    }
  }

  pass() {
    this.mode = 'pass';
    for (const pair of this.#pairs) {
      // What was half open has lost bytes: only a new connection helps.
      if (pair.upstream === undefined) pair.client.resetAndDestroy();
      pair.client.resume();
      pair.upstream?.resume();
    }
  }

  close() {
    this.reset();
    this.#server.close();
  }

  /** @param {Socket} client */
  #take(client) {
    /** @type {Pair} */
    const pair = { client, upstream: undefined };
    this.#pairs.add(pair);
    client.setNoDelay();
    client.on('error', () => {}); // its close follows
    client.on('data', (bytes) => pair.upstream?.write(bytes));
    client.on('close', () => {
      this.#pairs.delete(pair);
      pair.upstream?.destroy();
    });
    if (this.mode !== 'half-open') this.#lead(pair);
  }

  /** @param {Pair} pair */
  #lead(pair) {
    const upstream = connect(this.#target, '127.0.0.1');
    pair.upstream = upstream;
    upstream.setNoDelay();
    upstream.on('error', () => {});
    upstream.on('data', (bytes) => pair.client.write(bytes));
    upstream.on('close', () => {
      // Not when it was forgotten: then the client must not learn of it.
      if (pair.upstream === upstream) pair.client.destroy();
    });
    if (this.mode !== 'stall') return;
    pair.client.pause();
    upstream.pause();
  }
}

import { Agent, request } from 'node:http';
import { connect } from 'node:net';

/** @typedef {import('./wire.mjs').Wire} Wire */
/**
 * @typedef {object} Answer
 * @property {number} status 0 when there was none
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {string} text the beginning of the body
 * @property {number} ms
 * @property {string | undefined} broken why there was none
 */

/** Whatever is asked is answered within that; embeddings wait for a worker, which is busy with all else. */
const answeredWithinMs = 30_000;
const mostText = 2 ** 20;
/** Of what goes on and on the beginning is enough. */
const endless = 'text/event-stream';

/** Sends requests to an API, each answered or given up. */
export class Sender {
  #agent;
  #port;

  /** @param {{ port: number, atOnce: number }} params */
  constructor({ port, atOnce }) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  }

  /** @param {Wire} wire @returns {Promise<Answer>} */
  async send({ method, target, headers, body }) {
    const began = performance.now();
    return await new Promise((resolve) => {
      /** @param {Partial<Answer>} part */
      const end = (part) =>
        resolve({ status: 0, headers: {}, text: '', broken: undefined, ...part, ms: performance.now() - began });
      const options = { port: this.#port, host: '127.0.0.1', method, path: target, headers, agent: this.#agent };
      const sent = request({ ...options, timeout: answeredWithinMs }, (response) => readAnswer(response, end));
      sent.on('timeout', () => sent.destroy(new Error(`nothing within ${answeredWithinMs} ms`)));
      sent.on('error', (error) => end({ broken: error.message }));
      sent.end(body);
    });
  }

  /** @param {Buffer} bytes @returns {Promise<string>} all that came back until the connection was closed */
  async sendRaw(bytes) {
    return await new Promise((resolve) => {
      const socket = connect(this.#port, '127.0.0.1');
      let text = '';
      socket.setEncoding('latin1').on('data', (part) => {
        text += part;
      });
      socket.on('error', () => {}); // it may hang up while more is being sent
      socket.setTimeout(answeredWithinMs, () => socket.destroy());
      socket.once('close', () => resolve(text));
      socket.end(bytes);
    });
  }

  close() {
    this.#agent.destroy();
  }
}

/**
 * @param {import('node:http').IncomingMessage} response
 * @param {(part: Partial<Answer>) => void} end
 */
function readAnswer(response, end) {
  const { statusCode: status = 0, headers } = response;
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (part) => {
    if (text.length < mostText) text += part;
    if (headers['content-type']?.startsWith(endless)) {
      end({ status, headers, text });
      response.destroy();
    }
  });
  response.on('end', () => end({ status, headers, text }));
  response.on('error', (error) => end({ status, headers, broken: error.message }));
}

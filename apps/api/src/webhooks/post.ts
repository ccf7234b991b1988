import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Guard } from './guarded-agents.ts';

interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly guard: Guard;
  /** Ends the request, however far it is. */
  readonly signal: AbortSignal;
}

/** More of an answer is not read; bytes. What it says matters to nobody, but a receiver may want to get rid of it. */
const answerBytes = 16 * 1024;

/**
 * Sends a document and gives the status of the answer. Redirects are answers like others: none is followed.
 * @throws Error when there was no answer before the signal, or the address is forbidden.
 */
export async function post({ url, headers, body, guard, signal }: Post): Promise<number> {
  const isTls = url.protocol === 'https:';
  const options = {
    method: 'POST',
    agent: isTls ? guard.https : guard.http,
    lookup: guard.lookup,
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    signal,
  };
  const request = isTls ? requestHttps(url, options) : requestHttp(url, options);
  const answer = await answerTo(request, body);
  drain(answer);
  return answer.statusCode ?? 0;
}

async function answerTo(request: ClientRequest, body: string): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    // For a protocol that nobody asked for; otherwise a connection that has closed says so by an error.
    request.once('close', () => reject(new Error('the connection was closed without an answer')));
    request.end(body);
  });
}

/** Reads a little of an answer; then the connection is cut, at the latest by the signal of its request. */
function drain(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('error', () => {});
  answer.on('data', (piece: Buffer) => {
    bytes += piece.byteLength;
    if (bytes > answerBytes) answer.destroy();
  });
}

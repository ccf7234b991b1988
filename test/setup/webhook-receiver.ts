import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';

/** A webhook as it came. */
export interface Received {
  readonly id: string;
  readonly headers: Record<string, string>;
  /** The bytes, which the signature is over. */
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: a document of any kind
  readonly event: any;
}

type Answer = (response: ServerResponse, received: Received, request: IncomingMessage) => void;

/** A real HTTP server of a test's own that webhooks are sent to. */
export interface WebhookReceiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** What it answers from now on; 204 at first. */
  answer: Answer;
  /** Waits for so many webhooks about a task or run; gives them in the order they came. */
  about(id: string, count?: number): Promise<Received[]>;
  close(): Promise<void>;
}

export const ok: Answer = (response) => response.writeHead(204).end();

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (response) => response.writeHead(code, headers).end();
}

export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

export async function openReceiver(port = 0): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => void take(request, response));
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await request.toArray()).map(String).join('');
    const headers = request.headers as Record<string, string>;
    const one = { id: headers['webhook-id'] ?? '', headers, body, event: JSON.parse(body || 'null') };
    received.push(one);
    receiver.answer(response, one, request);
  };
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: taken } = server.address() as AddressInfo;
  const about = (id: string) => received.filter(({ event }) => event?.data?.id === id);
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${taken}/hook?token=secret`,
    port: taken,
    received,
    answer: ok,
    about: async (id, count = 1) => {
      await expect.poll(() => about(id).length, { timeout: 40_000, interval: 50 }).toBeGreaterThanOrEqual(count);
      return about(id);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

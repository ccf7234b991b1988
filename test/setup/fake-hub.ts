import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** What the hub does instead of answering well. */
interface Trouble {
  /** Of a file: gives the first half, then nothing more. */
  readonly stalls?: string;
  /** Gives another byte in the middle of a file. */
  readonly garbles?: string;
  /** Takes requests and never answers. */
  readonly silent?: boolean;
  /** Answers everything with that. */
  readonly status?: number;
}

/** A hub of a test's own, which speaks as Hugging Face's does, with models from folders. */
export class FakeHub {
  readonly requests: string[] = [];
  trouble: Trouble = {};
  private readonly server: Server;
  private readonly models = new Map<string, string>();

  private constructor() {
    this.server = createServer(({ url = '' }, response) => this.answer(decodeURI(url), response));
  }

  static async start(): Promise<FakeHub> {
    const hub = new FakeHub();
    await new Promise<void>((resolve) => hub.server.listen(0, '127.0.0.1', resolve));
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Has the files of a folder as a model. */
  offer(model: string, folder: string): this {
    this.models.set(model, folder);
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(url: string, response: ServerResponse): void {
    this.requests.push(url);
    if (this.trouble.silent) return;
    if (this.trouble.status !== undefined) response.writeHead(this.trouble.status).end();
    else if (url.startsWith('/api/models/')) this.list(url.slice('/api/models/'.length), response);
    else this.give(url.slice(1), response);
  }

  private list(rest: string, response: ServerResponse): void {
    const folder = this.models.get(rest.slice(0, rest.indexOf('/tree/main?recursive=true')));
    if (folder === undefined) {
      response.writeHead(401).end('Invalid username or password.');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(entriesOf(folder)));
  }

  private give(rest: string, response: ServerResponse): void {
    const [model = '', file = ''] = rest.split('/resolve/main/');
    const folder = this.models.get(model);
    if (folder === undefined) {
      response.writeHead(404).end();
      return;
    }
    const bytes = readFileSync(path.join(folder, file));
    if (this.trouble.garbles === file) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    response.writeHead(200, { 'content-length': bytes.length });
    if (this.trouble.stalls === file) response.write(bytes.subarray(0, bytes.length >> 1));
    else response.end(bytes);
  }
}

/** As the hub lists a repository: large files with their SHA-256. */
function entriesOf(folder: string): object[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => {
    const stats = statSync(path.join(folder, file));
    if (stats.isDirectory()) return { type: 'directory', oid: 'a', size: 0, path: file };
    const oid = createHash('sha256').update(readFileSync(path.join(folder, file)));
    const entry = { type: 'file', oid: 'b', size: stats.size, path: file };
    return file.endsWith('.onnx')
      ? { ...entry, lfs: { oid: oid.digest('hex'), size: stats.size, pointerSize: 1 } }
      : entry;
  });
}

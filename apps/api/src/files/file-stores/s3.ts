import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { MillraceError } from '@millrace/shared/errors';
import { AwsClient } from 'aws4fetch';
import { type ByteRange, type ByteSource, CountedBytes, type FileStore, type StoredFile } from '../file-store.ts';
import { piecesOf } from '../pieces.ts';
import { readUploads, readXmlEntries, xmlValue } from './s3-answers.ts';

export interface S3Settings {
  /** Endpoint, bucket and the beginning of all names there. */
  readonly url: string;
  readonly keyId: string;
  readonly secret: string;
  readonly region: string;
}

/** Bytes in memory of their own, as fetch wants them. */
type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of one part of an upload; S3 wants 5 MiB at least and 10,000 parts at most. One is held in memory for each upload. */
const partBytes = 8 * 2 ** 20;
/** Tries after an answer of 429 or 5xx, within a second or two. */
const retries = 4;
/** A request whose answer does not begin within that has failed; ms. */
const answerWithinMs = 60_000;

interface S3Request {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Bytes;
  /** Statuses beside 2xx that are an answer, not a failure. */
  readonly accept?: readonly number[];
}

/** Files as objects of a bucket. What is larger than a part goes up in parts, and is there when the last has come. */
export class S3Store implements FileStore {
  private readonly client: AwsClient;
  private readonly bucketUrl: string;
  /** In front of every name. */
  private readonly prefix: string;

  constructor({ url, keyId, secret, region }: S3Settings) {
    this.client = new AwsClient({ accessKeyId: keyId, secretAccessKey: secret, region, service: 's3', retries });
    const { origin, pathname } = new URL(url);
    const [, bucket = '', ...folders] = pathname.split('/').filter((part, index) => index === 0 || part !== '');
    this.bucketUrl = `${origin}/${bucket}`;
    this.prefix = folders.map((folder) => `${folder}/`).join('');
  }

  async put(name: string, source: ByteSource): Promise<number> {
    const counted = new CountedBytes(source);
    const pieces = piecesOf(counted, partBytes);
    const { value: first = new Uint8Array() } = await pieces.next();
    const { value: second } = await pieces.next();
    if (second === undefined) await this.request('PUT', name, { body: first });
    else await this.putInParts(name, [first, second], pieces);
    return counted.total;
  }

  async read(name: string, range?: ByteRange): Promise<Readable> {
    if (range !== undefined && range.end <= range.start) return Readable.from([]);
    const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` };
    // 416: the range begins behind the end.
    const response = await this.request('GET', name, { headers, accept: [404, 416] });
    if (response.status === 404) throw new MillraceError('FILE_NOT_FOUND', `There is no ${name}.`);
    if (response.status === 416 || response.body === null) {
      await response.body?.cancel();
      return Readable.from([]);
    }
    return Readable.from(whole(response.body, response.headers.get('content-length')), { objectMode: false });
  }

  async size(name: string): Promise<number | undefined> {
    const { status, headers } = await this.request('HEAD', name, { accept: [404] });
    return status === 404 ? undefined : Number(headers.get('content-length'));
  }

  async delete(name: string): Promise<void> {
    await this.request('DELETE', name, { accept: [404] });
  }

  async *list(prefix: string): AsyncGenerator<StoredFile> {
    for (let token: string | undefined = ''; token !== undefined; ) {
      const more: Record<string, string> = token === '' ? {} : { 'continuation-token': token };
      const query = { 'list-type': '2', prefix: `${this.prefix}${prefix}`, ...more };
      const text = await (await this.request('GET', undefined, { query })).text();
      for (const entry of readXmlEntries(text, 'Contents')) {
        const name = xmlValue(entry, 'Key').slice(this.prefix.length);
        if (!name.includes('/')) yield { name, storedAt: Date.parse(xmlValue(entry, 'LastModified')) };
      }
      token = xmlValue(text, 'NextContinuationToken') || undefined;
    }
  }

  /** Where the uploads that broke off cannot be listed (501), a rule of the bucket has to remove them. */
  async clearTorn(time: number): Promise<number> {
    const query = { uploads: '', prefix: this.prefix };
    const response = await this.request('GET', undefined, { query, accept: [501] });
    const uploads = response.status === 501 ? [] : readUploads(await response.text());
    const torn = uploads.filter(({ key, begunAt }) => begunAt < time && key.startsWith(this.prefix));
    for (const { key, uploadId } of torn) await this.abort(key.slice(this.prefix.length), uploadId);
    return torn.length;
  }

  private async putInParts(name: string, begun: readonly Bytes[], rest: AsyncGenerator<Bytes>): Promise<void> {
    const created = await this.request('POST', name, { query: { uploads: '' } });
    const uploadId = xmlValue(await created.text(), 'UploadId');
    try {
      const etags: string[] = [];
      for (const part of begun) etags.push(await this.putPart(name, uploadId, { number: etags.length + 1, part }));
      for await (const part of rest) etags.push(await this.putPart(name, uploadId, { number: etags.length + 1, part }));
      await this.complete(name, uploadId, etags);
    } catch (error) {
      await this.abort(name, uploadId).catch(() => {});
      throw error;
    }
  }

  private async putPart(
    name: string,
    uploadId: string,
    { number, part }: { number: number; part: Bytes },
  ): Promise<string> {
    const query = { partNumber: number.toString(), uploadId };
    const { headers } = await this.request('PUT', name, { query, body: part });
    return headers.get('etag') ?? '';
  }

  private async complete(name: string, uploadId: string, etags: readonly string[]): Promise<void> {
    const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const xml = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    const response = await this.request('POST', name, { query: { uploadId }, body: Buffer.from(xml) });
    // S3 begins this answer with 200 before it knows how it ends.
    const text = await response.text();
    if (text.includes('<Error>')) throw unavailable(`completing ${name}: ${xmlValue(text, 'Message')}`);
  }

  private async abort(name: string, uploadId: string): Promise<void> {
    const response = await this.request('DELETE', name, { query: { uploadId }, accept: [404, 501] });
    await response.body?.cancel();
  }

  private async request(method: string, name: string | undefined, request: S3Request = {}): Promise<Response> {
    const url = new URL(name === undefined ? this.bucketUrl : `${this.bucketUrl}/${this.prefix}${name}`);
    for (const [key, value] of Object.entries(request.query ?? {})) url.searchParams.set(key, value);
    const { body, accept = [] } = request;
    // The bucket checks the hash: what arrives is what was sent.
    const hash = createHash('sha256')
      .update(body ?? '')
      .digest('hex');
    const headers = { ...request.headers, 'x-amz-content-sha256': hash };
    const response = await this.send(url, { method, headers, ...(body === undefined ? {} : { body }) });
    if (response.ok || accept.includes(response.status)) return response;
    const text = await response.text().catch(() => '');
    throw unavailable(`${method} ${url.pathname} answered ${response.status} ${xmlValue(text, 'Code')}`.trimEnd());
  }

  private async send(url: URL, init: RequestInit): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${answerWithinMs} ms`)), answerWithinMs);
    try {
      return await this.client.fetch(url.toString(), { ...init, signal: late.signal });
    } catch (error) {
      const { cause } = error as Error;
      throw unavailable(`${url.origin}: ${cause instanceof Error ? cause.message : (error as Error).message}`, error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A connection that breaks in the middle of an answer, or an answer that is shorter than it said, is the storage's fault. */
async function* whole(body: AsyncIterable<Uint8Array>, length: string | null): AsyncGenerator<Uint8Array> {
  const counted = new CountedBytes(body);
  try {
    yield* counted;
  } catch (error) {
    throw unavailable((error as Error).message, error);
  }
  if (length !== null && counted.total === Number(length)) return;
  throw unavailable(`an answer had ${counted.total} bytes and was to have ${length ?? 'a length'}`);
}

function unavailable(message: string, cause?: unknown): MillraceError {
  const isFull = /507|QuotaExceeded|InsufficientStorage|StorageFull|InsufficientCapacity/.test(message);
  return new MillraceError(isFull ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', message, { cause, retryAfterMs: 5000 });
}

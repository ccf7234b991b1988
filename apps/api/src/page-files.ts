import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A file of the page, ready to be sent. */
export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Buffer;
}

/** Beside `src` and `dist`: what is there is served as it is. */
const folder = new URL('../page/', import.meta.url);

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** All files of the page, by name, read once: no address of a request ever becomes a path. */
export function readPage(): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(folder)) {
    const type = types[path.extname(name)];
    if (type === undefined) continue;
    const bytes = readFileSync(new URL(name, folder));
    files.set(name, { type, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"`, bytes });
  }
  return files;
}

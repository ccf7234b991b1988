import type { ByteSource } from './file-store.ts';

/** Gathers bytes into pieces of one size; the last may be smaller. Without any bytes there is no piece. */
export async function* piecesOf(source: ByteSource, size: number): AsyncGenerator<Buffer<ArrayBuffer>, undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (let rest of source) {
    while (bytes + rest.byteLength >= size) {
      const taken = size - bytes;
      yield Buffer.concat([...parts, rest.subarray(0, taken)], size);
      rest = rest.subarray(taken);
      parts = [];
      bytes = 0;
    }
    if (rest.byteLength === 0) continue;
    parts.push(rest);
    bytes += rest.byteLength;
  }
  if (bytes > 0) yield Buffer.concat(parts, bytes);
  return undefined;
}

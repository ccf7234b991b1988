import type { Moment } from '../tasks/vector/collection.ts';
import type { Metadata } from '../tasks/vector/metadata.ts';

/** The write that a point comes from: no two writes have the same. */
export type Stamp = Moment;

/** A point on its way into Redis. Under cosine its vector has length 1. */
export interface PointWrite {
  readonly id: string;
  readonly vector: Float32Array;
  readonly metadata: Metadata | null;
}

/** A point as Redis has it. */
export interface StoredPoint extends PointWrite {
  readonly stamp: Stamp;
}

/** Of a stored point before its vector: the version, a double, and the mark, a uint32; little-endian. */
const stampBytes = 12;

/** A stamp as it stands at the beginning of a point. */
export function encodeStamp({ version, mark }: Stamp): Buffer {
  const bytes = Buffer.alloc(stampBytes);
  bytes.writeDoubleLE(version, 0);
  bytes.writeUInt32LE(mark, 8);
  return bytes;
}

/** A point as the script takes it: float32, little-endian, then metadata as JSON; the script puts the stamp before it. */
export function encodePoint({ vector, metadata }: PointWrite): Buffer {
  const numbers = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return metadata === null ? numbers : Buffer.concat([numbers, Buffer.from(JSON.stringify(metadata))]);
}

/** A point as Redis has it. */
export function decodePoint(id: string, bytes: Buffer, dimensions: number): StoredPoint {
  const vectorEnd = stampBytes + 4 * dimensions;
  // A copy: float32 needs a multiple of four, and the reply of many points should not live as long as one of them.
  const vector = new Float32Array(bytes.buffer.slice(bytes.byteOffset + stampBytes, bytes.byteOffset + vectorEnd));
  const metadata = bytes.length > vectorEnd ? (JSON.parse(bytes.toString('utf8', vectorEnd)) as Metadata) : null;
  return { id, stamp: { version: bytes.readDoubleLE(0), mark: bytes.readUInt32LE(8) }, vector, metadata };
}

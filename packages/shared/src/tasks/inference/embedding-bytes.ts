/** Behind the vector: tokens (uint32), whether it was cut (uint8), the number of this layout (uint8). */
const tailBytes = 6;
const layout = 1;
const bytesPerNumber = 4;

/** What is kept of an embedding. */
interface Embedding {
  readonly vector: Float32Array;
  readonly tokens: number;
  readonly truncated: boolean;
}

/** An embedding as bytes: the vector (float32, little-endian as every CPU that Node runs on), then the tail. */
export function packEmbedding({ vector, tokens, truncated }: Embedding): Uint8Array {
  const bytes = new Uint8Array(vector.byteLength + tailBytes);
  bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  const tail = new DataView(bytes.buffer, vector.byteLength);
  tail.setUint32(0, tokens, true);
  tail.setUint8(4, truncated ? 1 : 0);
  tail.setUint8(5, layout);
  return bytes;
}

/** The embedding again; its vector is a view of the bytes where they lie as float32 must. Undefined when they are no embedding. */
export function unpackEmbedding(bytes: Uint8Array): Embedding | undefined {
  const vectorBytes = bytes.byteLength - tailBytes;
  if (vectorBytes <= 0 || vectorBytes % bytesPerNumber !== 0) return undefined;
  const at = (index: number) => bytes[vectorBytes + index] ?? 0;
  if (at(5) !== layout) return undefined;
  const aligned = bytes.byteOffset % bytesPerNumber === 0 ? bytes : Uint8Array.from(bytes);
  return {
    vector: new Float32Array(aligned.buffer, aligned.byteOffset, vectorBytes / bytesPerNumber),
    tokens: (at(0) | (at(1) << 8) | (at(2) << 16) | (at(3) << 24)) >>> 0,
    truncated: at(4) === 1,
  };
}

const lineFeed = 0x0a;

/**
 * Cuts bytes into lines, each of whatever length, and gives their bytes without the line feed; what comes is read as fast as lines
 * are taken. (Node's readline also cuts at U+2028, which JSON may have within a text.)
 */
export async function* linesIn(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  for await (const piece of source) {
    let start = 0;
    for (let end = piece.indexOf(lineFeed); end !== -1; end = piece.indexOf(lineFeed, start)) {
      yield joined([...parts, piece.subarray(start, end)]);
      parts = [];
      start = end + 1;
    }
    if (start < piece.length) parts.push(piece.subarray(start));
  }
  if (parts.length > 0) yield joined(parts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

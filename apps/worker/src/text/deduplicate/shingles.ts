/** Some characters stand for a whole phrase, of up to 18 others: a text of such ones stays what it is. */
const mostGrowth = 4;

/**
 * A text in the form in which texts are compared: compatible characters are one (NFKC), letters are small, every stretch of
 * white space is one space, none at the ends.
 */
export function evenOut(text: string): string {
  const compatible = text.normalize('NFKC');
  const normal = compatible.length > text.length * mostGrowth ? text.normalize('NFC') : compatible;
  return normal.toLowerCase().replaceAll(/\s+/g, ' ').trim();
}

/** Characters of a shingle: Leskovec et al. take 5 for short texts, so that a given one is rare in any text. */
const usualLength = 5;
/** A syllable of kana, hangul, Thai and its neighbours tells as much as about two letters. */
const syllableLength = 3;
/** One Han character tells as much as a short word. */
const hanLength = 2;

/**
 * The set of shingles of an evened out text: all stretches of five characters (fewer in scripts that write syllables or words
 * in one), each as a hash of 32 bits; ascending. A text shorter than that is one shingle. Shingles, and how alike two sets of
 * them are, by A. Broder, "On the resemblance and containment of documents", 1997.
 */
export function shinglesOf(text: string): Uint32Array {
  const hashes = new Uint32Array(Math.max(1, text.length));
  let count = 0;
  for (let start = 0; start < text.length; start += 1) {
    const end = start + shingleLength(text.charCodeAt(start));
    if (end > text.length) continue;
    hashes[count] = hashOf(text, start, end);
    count += 1;
  }
  if (count === 0) return Uint32Array.of(hashOf(text, 0, text.length));
  return unique(hashes.subarray(0, count).sort());
}

function shingleLength(unit: number): number {
  if (unit < 0x0e00) return usualLength;
  if (isHan(unit)) return hanLength;
  return isSyllable(unit) ? syllableLength : usualLength;
}

/** Also half of a Han character beyond the basic plane. */
function isHan(unit: number): boolean {
  return (unit >= 0x3400 && unit <= 0x9fff) || (unit >= 0xf900 && unit <= 0xfaff) || (unit >= 0xd840 && unit <= 0xd888);
}

/** Thai, Lao, Tibetan, Burmese; Khmer; kana; hangul. */
function isSyllable(unit: number): boolean {
  return (
    unit <= 0x109f ||
    (unit >= 0x1780 && unit <= 0x17ff) ||
    (unit >= 0x3040 && unit <= 0x30ff) ||
    (unit >= 0xac00 && unit <= 0xd7a3)
  );
}

/** FNV-1a over UTF-16 units, then the finalizer of MurmurHash3, so that every bit of the result counts. */
function hashOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** The finalizer of MurmurHash3 (A. Appleby, public domain): a permutation of all numbers of 32 bits. */
export function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function unique(sorted: Uint32Array): Uint32Array {
  let count = 0;
  let last = -1;
  for (const value of sorted) {
    if (value === last) continue;
    sorted[count] = value;
    last = value;
    count += 1;
  }
  return sorted.slice(0, count);
}

/** The Jaccard similarity of two ascending sets: what they share, as part of all that is in either. */
export function similarity(a: Uint32Array, b: Uint32Array): number {
  let shared = 0;
  let atA = 0;
  let atB = 0;
  while (atA < a.length && atB < b.length) {
    const valueA = a[atA] ?? 0;
    const valueB = b[atB] ?? 0;
    if (valueA === valueB) shared += 1;
    if (valueA <= valueB) atA += 1;
    if (valueB <= valueA) atB += 1;
  }
  return shared / (a.length + b.length - shared);
}

/** The most that two sets of these sizes can have in common. */
export function greatestSimilarity(a: Uint32Array, b: Uint32Array): number {
  return Math.min(a.length, b.length) / Math.max(a.length, b.length);
}

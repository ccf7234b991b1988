import { signatureLength } from './minhash.ts';
import { mix } from './shingles.ts';

/** How a signature is cut: `bands` of `rows` values each. */
export interface Banding {
  readonly bands: number;
  readonly rows: number;
}

/** Of pairs that are just as alike as the threshold, at least this share must meet in a band. */
const leastRecall = 0.995;

/**
 * The banding with the longest bands, that is with the fewest pairs that meet in vain, that still lets pairs at the threshold
 * meet: with probability 1 - (1 - t^rows)^bands (Leskovec et al., 3.4).
 */
export function bandingFor(threshold: number): Banding {
  for (let rows = signatureLength; rows > 1; rows -= 1) {
    const bands = Math.floor(signatureLength / rows);
    if (1 - (1 - threshold ** rows) ** bands >= leastRecall) return { bands, rows };
  }
  return { bands: signatureLength, rows: 1 };
}

/** Texts by the bands of their signatures: those that share a band with another are likely alike. */
export class BandIndex {
  private readonly banding: Banding;
  /** Per band the numbers of the texts by a hash of their values in it. */
  private readonly buckets: readonly Map<number, number[]>[];
  /** How many bands a text shares with the one that is asked for; all 0 in between. */
  private readonly shared: Uint16Array;

  /** `capacity`: numbers of texts are below that. */
  constructor(banding: Banding, capacity: number) {
    this.banding = banding;
    this.buckets = Array.from({ length: banding.bands }, () => new Map<number, number[]>());
    this.shared = new Uint16Array(capacity);
  }

  add(text: number, signature: Uint32Array): void {
    this.buckets.forEach((bucket, band) => {
      const key = this.keyOf(signature, band);
      const texts = bucket.get(key);
      if (texts === undefined) bucket.set(key, [text]);
      else texts.push(text);
    });
  }

  /** The `most` texts that share most bands with the signature: those with more bands first, of the same the one added first. */
  candidates(signature: Uint32Array, most: number): number[] {
    const met: number[] = [];
    this.buckets.forEach((bucket, band) => {
      for (const text of bucket.get(this.keyOf(signature, band)) ?? []) {
        const before = this.shared[text] ?? 0;
        if (before === 0) met.push(text);
        this.shared[text] = before + 1;
      }
    });
    const best = this.mostShared(met, most);
    for (const text of met) this.shared[text] = 0;
    return best;
  }

  /** Without sorting all that met: there may be thousands for each of thousands of texts. */
  private mostShared(met: readonly number[], most: number): number[] {
    const counts = new Uint32Array(this.banding.bands + 1);
    for (const text of met) counts[this.shared[text] ?? 0] = (counts[this.shared[text] ?? 0] ?? 0) + 1;
    let least = this.banding.bands;
    for (let enough = counts[least] ?? 0; enough < most && least > 1; enough += counts[least] ?? 0) least -= 1;
    const sharedBy = (text: number) => this.shared[text] ?? 0;
    const better = met.filter((text) => sharedBy(text) > least).sort((a, b) => sharedBy(b) - sharedBy(a) || a - b);
    const equal = Uint32Array.from(met.filter((text) => sharedBy(text) === least)).sort();
    return [...better, ...equal.subarray(0, most - better.length)];
  }

  private keyOf(signature: Uint32Array, band: number): number {
    const { rows } = this.banding;
    let key = band;
    for (let at = band * rows; at < (band + 1) * rows; at += 1) key = mix(key ^ (signature[at] ?? 0));
    return key;
  }
}

import { setImmediate } from 'node:timers/promises';
import type { DeduplicateGroup, DeduplicateOutput } from '@millrace/shared/tasks/text/deduplicate';
import { BandIndex, bandingFor } from './bands.ts';
import { createMinHash } from './minhash.ts';
import { evenOut, greatestSimilarity, shinglesOf, similarity } from './shingles.ts';

/** A text that differs from all before it, and what it is like. */
interface Place {
  /** The representative of its group; itself, when it is the first of one. */
  readonly representative: number;
  readonly similarity: number;
}

interface GroupOptions {
  /** How alike texts must be, above 0 and up to 1. */
  readonly threshold: number;
  /** Ends the work between two texts. */
  readonly signal: AbortSignal;
}

/**
 * Groups near duplicates. Each text in turn joins the representative that it is most like, if that is within the threshold;
 * else it becomes a representative itself. So every member is within the threshold of the text that is kept for it, and no
 * chain of small differences puts texts together that are not alike; the same list always gives the same groups.
 * @throws the reason of the signal, once it is aborted.
 */
export async function groupTexts(texts: readonly string[], options: GroupOptions): Promise<DeduplicateOutput> {
  const evened = texts.map(evenOut);
  const firsts = new Map<string, number>();
  evened.forEach((text, index) => {
    if (!firsts.has(text)) firsts.set(text, index);
  });
  const places = await placeAll([...firsts.entries()], options);
  const groups = new Map<number, DeduplicateGroup>();
  evened.forEach((text, index) => {
    const place = places.get(firsts.get(text) ?? index);
    if (place === undefined) return;
    const { representative } = place;
    const group = groups.get(representative) ?? { representative, members: [] };
    group.members.push({ index, similarity: place.similarity });
    groups.set(representative, group);
  });
  return {
    groups: [...groups.values()].filter(({ members }) => members.length > 1),
    unique: [...groups.keys()],
  };
}

/**
 * Of the candidates for a text so many are compared, those first that share most bands. Thousands of texts that are all just
 * short of the threshold would else be compared each with each.
 */
const mostCompared = 64;

/** Texts between two looks at the signal. */
const textsAtATime = 100;

/** The place of each text that is not the same as one before. `entries`: evened out texts with their numbers, ascending. */
async function placeAll(
  entries: readonly (readonly [string, number])[],
  { threshold, signal }: GroupOptions,
): Promise<Map<number, Place>> {
  const minHash = createMinHash();
  const index = new BandIndex(bandingFor(threshold), 1 + (entries.at(-1)?.[1] ?? 0));
  const sets = new Map<number, Uint32Array>();
  const places = new Map<number, Place>();
  for (const [text, number] of entries) {
    if (places.size % textsAtATime === 0) await setImmediate();
    signal.throwIfAborted();
    const set = shinglesOf(text);
    const signature = minHash(set);
    const nearest = findNearest(set, { candidates: index.candidates(signature, mostCompared), sets, threshold });
    places.set(number, nearest ?? { representative: number, similarity: 1 });
    if (nearest !== undefined) continue;
    index.add(number, signature);
    sets.set(number, set);
  }
  return places;
}

interface Search {
  /** Numbers of representatives, the most promising first. */
  readonly candidates: readonly number[];
  /** The shingles of the representatives. */
  readonly sets: ReadonlyMap<number, Uint32Array>;
  readonly threshold: number;
}

/** The representative that the set is most like, by their true similarity; the earliest of several. */
function findNearest(set: Uint32Array, { candidates, sets, threshold }: Search): Place | undefined {
  let nearest: Place | undefined;
  for (const representative of candidates) {
    const other = sets.get(representative);
    if (other === undefined || greatestSimilarity(set, other) < threshold) continue;
    const place = { representative, similarity: similarity(set, other) };
    if (place.similarity >= threshold && isNearer(place, nearest)) nearest = place;
  }
  return nearest;
}

function isNearer(place: Place, nearest: Place | undefined): boolean {
  if (nearest === undefined || place.similarity > nearest.similarity) return true;
  return place.similarity === nearest.similarity && place.representative < nearest.representative;
}

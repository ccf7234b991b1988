import type { Graph } from '../rank-graph.ts';

/** Sentences as sets of terms, which are numbers from 0 on. */
export interface SentenceSets {
  /** The distinct terms of each sentence, ascending. */
  readonly sets: readonly (readonly number[])[];
  /** How much each term tells: its inverse document frequency, ln((n + 1) / (df + 1/2)). */
  readonly idf: Float64Array;
}

/** The sets of sentences that are given by their terms. */
export function sentenceSets(sentences: readonly (readonly number[])[]): SentenceSets {
  const sets = sentences.map((terms) => [...new Set(terms)].sort((a, b) => a - b));
  const terms = sets.reduce((most, set) => Math.max(most, (set.at(-1) ?? -1) + 1), 0);
  const idf = new Float64Array(terms);
  for (const set of sets) for (const term of set) idf[term] = (idf[term] ?? 0) + 1;
  return { sets, idf: idf.map((frequency) => Math.log((sets.length + 1) / (frequency + 0.5))) };
}

/** How much of what two sentences tell is the same, 0 to 1: the cosine of their terms by idf. */
export function likeness({ sets, idf }: SentenceSets, a: number, b: number): number {
  const [setA, setB] = [sets[a] ?? [], sets[b] ?? []];
  const others = new Set(setB);
  const square = (sum: number, term: number) => sum + (idf[term] ?? 0) ** 2;
  const common = setA.filter((term) => others.has(term)).reduce(square, 0);
  return common === 0 ? 0 : common / Math.sqrt(setA.reduce(square, 0) * setB.reduce(square, 0));
}

/**
 * Pairs of sentences with a term in common that are looked at, at most: about a second, and 80 MB. The most frequent terms, which weigh
 * least, are left out where they would lead beyond: those in the sentences of a book, for example.
 */
const mostPairs = 10_000_000;

/**
 * The graph of TextRank (Mihalcea & Tarau, "TextRank: Bringing Order into Texts", 2004): sentences are joined by what they have in
 * common, over the logarithms of their lengths, so that long ones are not preferred too much. Terms count by their idf instead of 1 each.
 * By an inverted index: only pairs with a term in common are looked at, so that 5,000 sentences do not make 12 million comparisons.
 */
export function sentenceGraph({ sets, idf }: SentenceSets): Graph {
  const { postings, pairs } = postingsOf(sets);
  const lengths = sets.map((set) => Math.log(1 + set.length));
  const rowStart = new Int32Array(sets.length + 1);
  const columns = new Int32Array(pairs);
  const weights = new Float32Array(pairs);
  const sums = new Float64Array(sets.length);
  let edges = 0;
  for (const [node, set] of sets.entries()) {
    const touched: number[] = [];
    for (const term of set) {
      for (const other of postings.get(term) ?? []) {
        if (other === node) continue;
        if (sums[other] === 0) touched.push(other);
        sums[other] = (sums[other] ?? 0) + (idf[term] ?? 0);
      }
    }
    for (const other of touched) {
      columns[edges] = other;
      weights[edges] = (sums[other] ?? 0) / ((lengths[node] ?? 0) + (lengths[other] ?? 0));
      sums[other] = 0;
      edges += 1;
    }
    rowStart[node + 1] = edges;
  }
  return { size: sets.length, rowStart, columns, weights };
}

/** The sentences that have a term, for the terms that are looked at; and how many pairs they make. */
function postingsOf(sets: SentenceSets['sets']): { postings: Map<number, number[]>; pairs: number } {
  const all = new Map<number, number[]>();
  for (const [sentence, set] of sets.entries()) {
    for (const term of set) {
      const own = all.get(term);
      if (own === undefined) all.set(term, [sentence]);
      else own.push(sentence);
    }
  }
  const postings = new Map<number, number[]>();
  let pairs = 0;
  // Rare terms first; those that are equally frequent as they first stand in the text.
  for (const [term, own] of [...all].sort(([, a], [, b]) => a.length - b.length)) {
    const more = own.length * (own.length - 1);
    if (pairs + more > mostPairs) break;
    pairs += more;
    postings.set(term, own);
  }
  return { postings, pairs };
}

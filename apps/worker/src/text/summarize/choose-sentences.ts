import { rankNodes } from '../rank-graph.ts';
import { likeness, sentenceGraph, sentenceSets } from './sentence-graph.ts';

/** A sentence that was chosen: which one, and its score beside the best, which has 1. */
export interface Chosen {
  readonly index: number;
  readonly score: number;
}

/** Sentences that are more alike than that say the same. */
const alike = 0.7;

/**
 * Chooses the sentences that have most in common with the others, by TextRank (sentence-graph.ts). Each is given by its terms as
 * numbers. Of those with the same terms only the first is ranked, so that what a text repeats is not taken for what it is about; one that
 * is like a better one is taken only when there are no others. In the order of the text; the same input gives the same sentences.
 */
export function chooseSentences(sentences: readonly (readonly number[])[], most: number): Chosen[] {
  const distinct = distinctOf(sentences);
  const sets = sentenceSets(distinct.map((index) => sentences[index] ?? []));
  const scores = rankNodes(sentenceGraph(sets));
  const ranking = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const nodes = withoutAlike(ranking, most, (a, b) => likeness(sets, a, b) > alike);
  const chosen = nodes.map((node) => ({ index: distinct[node] ?? 0, score: scores[node] ?? 0 }));
  const best = chosen[0]?.score ?? 1;
  return [...chosen, ...others(sentences.length, chosen, most)]
    .map(({ index, score }) => ({ index, score: Math.round((score / best) * 1000) / 1000 }))
    .sort((a, b) => a.index - b.index);
}

/** The first of all sentences with the same terms in the same order; those without any are none. */
function distinctOf(sentences: readonly (readonly number[])[]): number[] {
  const seen = new Set<string>();
  return sentences.flatMap((terms, index) => {
    const key = terms.join(' ');
    if (key === '' || seen.has(key)) return [];
    seen.add(key);
    return [index];
  });
}

/** The best ones of which none is like a better one; if that is too few, then of the others as well. */
function withoutAlike(ranking: readonly number[], most: number, areAlike: (a: number, b: number) => boolean): number[] {
  const chosen: number[] = [];
  const skipped: number[] = [];
  for (const candidate of ranking) {
    if (chosen.length === most) break;
    (chosen.some((one) => areAlike(one, candidate)) ? skipped : chosen).push(candidate);
  }
  return [...chosen, ...skipped.slice(0, most - chosen.length)];
}

/** What says nothing, or nothing new, comes last: as it stands in the text, without a score. */
function others(count: number, chosen: readonly Chosen[], most: number): Chosen[] {
  const taken = new Set(chosen.map(({ index }) => index));
  const rest: Chosen[] = [];
  for (let index = 0; index < count && chosen.length + rest.length < most; index += 1) {
    if (!taken.has(index)) rest.push({ index, score: 0 });
  }
  return rest;
}

import type { Keyword } from '@millrace/shared/tasks/text/analyze';
import { graphOf, rankNodes } from '../rank-graph.ts';

/** A word that may be a keyword, or be part of one. */
export interface Candidate {
  /** What makes it the same word as another: the lemma, or the word in lower case. */
  readonly term: string;
  /** Where it stands in the text. */
  readonly start: number;
  readonly end: number;
  /** How many words are before it in its sentence. */
  readonly position: number;
  /** Whether it may be a keyword by itself: an adjective may not. */
  readonly isNoun: boolean;
}

/** Words no further apart than that are joined by an edge, as in TextRank; the paper has 2 to 10. */
const windowWords = 4;
/** Rarer words of a text with more distinct ones are left out of the graph: it stays below a million edges or so. */
const mostTerms = 20_000;
/** Keywords are made of a third of the words, as in the paper; of short texts more, of long ones no more than can matter. */
const leastTop = 20;
const mostTop = 1000;
/** Words of a keyword. */
const longestPhrase = 4;

/**
 * Collects the candidates of a text and finds its keywords by TextRank (Mihalcea & Tarau, "TextRank: Bringing Order into Texts", 2004):
 * words that stand near each other are joined, the graph is ranked, and top words that stand side by side become one keyword.
 */
export class KeywordCollector {
  private readonly text: string;
  private readonly leastCount: number;
  private readonly ids = new Map<string, number>();
  private readonly counts: number[] = [];
  /** One entry per candidate, in order. */
  private readonly terms: number[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly places: number[] = [];
  private readonly nouns: boolean[] = [];
  private nextPlace = 0;

  /** `knowsNouns`: the candidates are nouns and their adjectives. Otherwise words side by side are a phrase only where they are twice. */
  constructor(text: string, { knowsNouns }: { knowsNouns: boolean }) {
    this.text = text;
    this.leastCount = knowsNouns ? 1 : 2;
  }

  /** The candidates of the next sentence. */
  add(candidates: Iterable<Candidate>): void {
    let last = this.nextPlace;
    for (const { term, start, end, position, isNoun } of candidates) {
      const id = this.idOf(term);
      this.counts[id] = (this.counts[id] ?? 0) + 1;
      this.terms.push(id);
      this.starts.push(start);
      this.ends.push(end);
      last = this.nextPlace + position;
      this.places.push(last);
      this.nouns.push(isNoun);
    }
    // Words of different sentences are never near.
    this.nextPlace = last + windowWords;
  }

  /** The best keywords, best first; ties as they stand in the text. */
  best(most: number): Keyword[] {
    const scores = this.scores();
    const phrases = new Map<string, Phrase>();
    for (const [first, last] of this.phrases(this.topTerms(scores))) this.count(phrases, first, last);
    const ranked = [...phrases.values()]
      .filter(({ ids, count }) => ids.length === 1 || count >= this.leastCount)
      .map((phrase) => ({ ...phrase, score: this.scoreOf(phrase, scores) }))
      .sort((a, b) => b.score - a.score || a.first - b.first || b.ids.length - a.ids.length);
    return withoutOverlap(ranked, most).map(({ score, forms, count }) => ({
      text: mostFrequent(forms),
      score: Math.round((score / (ranked[0]?.score ?? 1)) * 1000) / 1000,
      count,
    }));
  }

  /**
   * The sum of its words' scores, as far as they belong together: times the root of the share of their occurrences that are in this phrase.
   * Words that met once by chance stay behind those that always go together.
   */
  private scoreOf({ ids, count }: Phrase, scores: Float64Array): number {
    const sum = ids.reduce((total, id) => total + (scores[id] ?? 0), 0);
    const occurrences = ids.reduce((total, id) => total + (this.counts[id] ?? 0), 0);
    return sum * Math.sqrt((count * ids.length) / occurrences);
  }

  private idOf(term: string): number {
    const known = this.ids.get(term);
    if (known !== undefined) return known;
    const id = this.ids.size;
    this.ids.set(term, id);
    return id;
  }

  /** Score of each term, by its id; 0 for those that are too rare. */
  private scores(): Float64Array {
    const kept = this.frequentTerms();
    const nodes = new Map(kept.map((id, node) => [id, node]));
    const edges = new Map<number, number>();
    for (let i = 0; i < this.terms.length; i += 1) {
      const from = nodes.get(this.terms[i] ?? -1);
      if (from === undefined) continue;
      for (let j = i + 1; j < this.terms.length; j += 1) {
        if ((this.places[j] ?? 0) - (this.places[i] ?? 0) >= windowWords) break;
        const to = nodes.get(this.terms[j] ?? -1);
        if (to === undefined || to === from) continue;
        const key = Math.min(from, to) * kept.length + Math.max(from, to);
        edges.set(key, (edges.get(key) ?? 0) + 1);
      }
    }
    const ranks = rankNodes(graphOf(kept.length, edges));
    const scores = new Float64Array(this.ids.size);
    for (const [id, node] of nodes) scores[id] = ranks[node] ?? 0;
    return scores;
  }

  private frequentTerms(): number[] {
    const ids = this.counts.map((_, id) => id);
    if (ids.length <= mostTerms) return ids;
    return ids.sort((a, b) => (this.counts[b] ?? 0) - (this.counts[a] ?? 0) || a - b).slice(0, mostTerms);
  }

  private topTerms(scores: Float64Array): ReadonlySet<number> {
    const ids = this.counts.map((_, id) => id).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
    return new Set(ids.slice(0, Math.min(mostTop, Math.max(leastTop, Math.ceil(ids.length / 3)))));
  }

  /** Top words alone and side by side, up to four that end in a noun: their first and last candidate. */
  private *phrases(top: ReadonlySet<number>): Generator<[first: number, last: number]> {
    let runStart = 0;
    for (let last = 0; last < this.terms.length; last += 1) {
      if (!top.has(this.terms[last] ?? -1)) runStart = last + 1;
      else if (last > runStart && !this.areBeside(last - 1, last)) runStart = last;
      if (this.nouns[last] !== true) continue;
      for (let first = Math.max(runStart, last - longestPhrase + 1); first <= last; first += 1) yield [first, last];
    }
  }

  private areBeside(left: number, right: number): boolean {
    return /^(?:\s{0,2}|[-‐‑])$/u.test(this.text.slice(this.ends[left], this.starts[right]));
  }

  private count(phrases: Map<string, Phrase>, first: number, last: number): void {
    const ids = this.terms.slice(first, last + 1);
    const key = ids.join(' ');
    const form = this.text.slice(this.starts[first], this.ends[last]).replaceAll(/\s+/g, ' ');
    const phrase = phrases.get(key) ?? { ids, first, count: 0, forms: new Map<string, number>() };
    phrase.count += 1;
    phrase.forms.set(form, (phrase.forms.get(form) ?? 0) + 1);
    phrases.set(key, phrase);
  }
}

interface Phrase {
  readonly ids: readonly number[];
  /** The candidate that it first begins with. */
  readonly first: number;
  count: number;
  /** How it is written, and how often. */
  readonly forms: Map<string, number>;
}

/** The first ones, without those that are part of a better one, or have several words of a better one and more. */
function withoutOverlap<T extends Phrase>(ranked: readonly T[], most: number): T[] {
  const kept: T[] = [];
  for (const phrase of ranked) {
    if (kept.length === most) break;
    const tells = kept.every(({ ids }) => !isPart(phrase.ids, ids) && (ids.length === 1 || !isPart(ids, phrase.ids)));
    if (tells) kept.push(phrase);
  }
  return kept;
}

function isPart(part: readonly number[], whole: readonly number[]): boolean {
  return part.every((id) => whole.includes(id));
}

function mostFrequent(forms: ReadonlyMap<string, number>): string {
  const [best] = [...forms].reduce((a, b) => (b[1] > a[1] ? b : a));
  return best;
}

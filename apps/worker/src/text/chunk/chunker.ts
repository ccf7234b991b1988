import type { Chunk } from '@millrace/shared/tasks/text/chunk';
import type { TokenCounter } from '../../models/tokenizers.ts';
import type { Atoms } from './atoms.ts';
import { levels } from './borders.ts';
import { ChunkIds } from './chunk-ids.ts';
import { graphemeEnds, isCut } from './graphemes.ts';
import { packAtoms } from './packing.ts';
import { scanAtoms } from './scan-atoms.ts';

interface ChunkLimits {
  /** Tokens of a chunk, those around it included. */
  readonly maxTokens: number;
  /** Tokens at the front of a chunk that the one before has too, at most. */
  readonly overlapTokens: number;
}

/** A part of the text that is to be a chunk. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
}

/**
 * Cuts a text into chunks of at most `maxTokens`. One grapheme that has more (a byte-level tokenizer and a long emoji) is a chunk by
 * itself with its true count; nothing else is ever over the limit. What is between chunks, and at their ends, is white space only.
 */
export function chunkText(text: string, counter: TokenCounter, limits: ChunkLimits): Chunk[] {
  const ids = new ChunkIds(counter.fingerprint);
  const chunks: Chunk[] = [];
  for (const { start, end, tokens } of new Chunker(text, counter, limits).spans()) {
    const part = text.slice(start, end);
    chunks.push({ id: ids.next(part), text: part, start, end, tokens });
  }
  return chunks;
}

class Chunker {
  private readonly text: string;
  private readonly counter: TokenCounter;
  private readonly limits: ChunkLimits;
  private readonly budget: number;
  private readonly atoms: Atoms;

  constructor(text: string, counter: TokenCounter, limits: ChunkLimits) {
    this.text = text;
    this.counter = counter;
    this.limits = limits;
    // Without the overlap, so that it makes no difference to where the borders are.
    this.budget = Math.max(1, limits.maxTokens - counter.frameTokens - limits.overlapTokens);
    this.atoms = scanAtoms(text, counter, this.budget);
  }

  *spans(): Generator<Span> {
    const { atoms, text, budget } = this;
    const packs = packAtoms({ text, atoms, budget });
    let before = 0;
    for (const [index, from] of packs.entries()) {
      const to = packs[index + 1] ?? atoms.length;
      const lapped = this.overlapStart(from, packs[index - 1] ?? from);
      const whole = lapped < from ? this.spanOf(lapped, to) : undefined;
      // White space at the front of an overlap is cut off, which may lead to where the chunk before begins.
      const isGood = whole !== undefined && whole.tokens <= this.limits.maxTokens && whole.start > before;
      for (const span of isGood ? [whole] : this.fitting(from, to)) {
        before = span.start;
        yield span;
      }
    }
  }

  /** The atoms from one to before another as one span if they fit, as several if the tokens did not add up. */
  private *fitting(from: number, to: number): Generator<Span> {
    const span = this.spanOf(from, to);
    if (span === undefined) return;
    if (span.tokens <= this.limits.maxTokens) yield span;
    else if (to - from === 1) yield* this.fittingGraphemes(span);
    else {
      const border = this.middleBorder(from, to);
      yield* this.fitting(from, border);
      yield* this.fitting(border, to);
    }
  }

  private *fittingGraphemes({ start, end }: Span): Generator<Span> {
    const span = this.trimmed(start, end);
    if (span === undefined) return;
    const ends = span.tokens <= this.limits.maxTokens ? [] : [...graphemeEnds(this.text, span.start, span.end)];
    if (ends.length <= 1) {
      yield span;
      return;
    }
    const middle = ends[Math.floor((ends.length - 1) / 2)] ?? span.end;
    yield* this.fittingGraphemes({ ...span, end: middle });
    yield* this.fittingGraphemes({ ...span, start: middle });
  }

  private spanOf(from: number, to: number): Span | undefined {
    const { atoms, counter } = this;
    const isExact = counter.addsUp && atoms.isExact(from, to);
    return this.trimmed(
      atoms.starts[from] ?? 0,
      atoms.ends[to - 1] ?? 0,
      isExact ? atoms.tokens(from, to) + counter.frameTokens : undefined,
    );
  }

  /** Without the white space at its ends that atoms may have (no-break spaces, form feeds); undefined when nothing is left. */
  private trimmed(from: number, to: number, tokens?: number): Span | undefined {
    const { text } = this;
    let start = from;
    let end = to;
    // A blank with an accent stays; CR LF, which is no cut either, goes.
    while (start < end && isBlank(text, start) && (isBlank(text, start + 1) || isCut(text, start + 1))) start += 1;
    while (start < end && isBlank(text, end - 1) && (isBlank(text, end - 2) || isCut(text, end - 1))) end -= 1;
    if (start === end) return undefined;
    return { start, end, tokens: tokens ?? this.counter.count(text.slice(start, end)) };
  }

  /** The strongest border of the middle half, of equals the one nearest to the middle. */
  private middleBorder(from: number, to: number): number {
    const middle = Math.floor((from + to) / 2);
    const reach = Math.floor((to - from) / 4);
    let best = middle;
    for (let step = 1; step <= reach; step += 1) {
      for (const at of [middle - step, middle + step]) {
        if (at > from && at < to && this.levelOf(at) > this.levelOf(best)) best = at;
      }
    }
    return best;
  }

  /**
   * The atom that the overlap of a pack begins with: the first of a sentence if that is far enough away, else of a word. It stays
   * behind the first atom of the pack before, so that no chunk contains the one before it.
   */
  private overlapStart(pack: number, packBefore: number): number {
    const { overlapTokens } = this.limits;
    if (overlapTokens === 0 || this.levelOf(pack) === levels.gap) return pack;
    let sentence: number | undefined;
    let word: number | undefined;
    let any = pack;
    for (let at = pack - 1; at > packBefore; at -= 1) {
      const tokens = this.atoms.tokens(at, pack);
      if (tokens > overlapTokens) break;
      any = at;
      if (this.levelOf(at) >= levels.word) word = at;
      if (this.levelOf(at) >= levels.sentence && tokens * 2 >= overlapTokens) sentence = at;
    }
    return sentence ?? word ?? any;
  }

  private levelOf(atom: number): number {
    return this.atoms.levels[atom] ?? levels.gap;
  }
}

function isBlank(text: string, at: number): boolean {
  return /\s/.test(text.charAt(at));
}

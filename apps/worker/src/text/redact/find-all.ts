import type { RedactKind } from '@millrace/shared/tasks/text/redact';
import type { DetectOptions, Span } from './detector.ts';
import { detectors, enclosing } from './detectors.ts';
import { fold } from './fold.ts';

/** A finding in the text as it was sent. */
export interface Found extends Span {
  readonly kind: RedactKind;
}

/** All findings of every kind in a text, ascending and without overlap. */
export function findAll(text: string, options: DetectOptions): Found[] {
  const folded = fold(text);
  const first = enclosing.flatMap(({ kind, find }) => find(folded.text, options).map((span) => ({ kind, ...span })));
  const others = detectors.flatMap(({ kind, find }) => find(folded.text, options).map((span) => ({ kind, ...span })));
  // Sorting is stable: of the same length the detector that stands first keeps its place.
  others.sort((a, b) => b.end - b.start - (a.end - a.start));
  return withoutOverlaps(folded.text.length, [...first, ...others]).map(({ kind, start, end }) => ({
    kind,
    start: folded.original(start),
    end: folded.originalEnd(end),
  }));
}

/** Keeps each finding that overlaps none before it. Those of one detector never overlap, so the work grows with the text. */
function withoutOverlaps(length: number, ranked: readonly Found[]): Found[] {
  const taken = new Uint8Array(length);
  const kept = ranked.filter(({ start, end }) => {
    if (taken.subarray(start, end).includes(1)) return false;
    taken.fill(1, start, end);
    return true;
  });
  return kept.sort((a, b) => a.start - b.start);
}

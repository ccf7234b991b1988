import type { RedactKind } from '@millrace/shared/tasks/text/redact';

/** A stretch of a folded text: from `start` up to but not including `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What a detector is told beside the text. */
export interface DetectOptions {
  /** Where telephone numbers without a country code belong; ISO 3166-1. */
  readonly region: string | undefined;
}

/**
 * Finds what belongs to one kind. It is given a folded text (see fold.ts), so that it need only know ASCII digits, spaces,
 * hyphens and full stops. Its time must grow with the length of the text alone, whatever the text: look ahead and back by a
 * bounded number of characters, and let no quantifier of a regular expression be followed by what it could match itself.
 */
export interface Detector {
  readonly kind: RedactKind;
  /** The findings, ascending; they do not overlap. */
  find(text: string, options: DetectOptions): Span[];
}

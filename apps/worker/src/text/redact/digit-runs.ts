import { dateLength } from './dates.ts';
import type { Span } from './detector.ts';

/** Digits that follow each other with at most a few separators between them: what numbers are cut out of. */
export interface DigitRun {
  readonly groups: readonly Span[];
  /** What stands between a group and the next; one less than groups. */
  readonly joins: readonly string[];
}

/** Between two groups of one number: at most this many characters, all of them separators. */
const longestJoin = 3;
const join = /^[ \-./()]+$/;

/** The runs of digits of a folded text; dates are cut out of them. */
export function digitRuns(text: string): DigitRun[] {
  const runs: DigitRun[] = [];
  let groups: Span[] = [];
  let joins: string[] = [];
  for (const match of text.matchAll(/[0-9]+/g)) {
    const last = groups.at(-1);
    const between = last === undefined ? '' : text.slice(last.end, Math.min(match.index, last.end + longestJoin + 1));
    if (last !== undefined && between.length <= longestJoin && join.test(between)) {
      joins.push(between);
    } else {
      runs.push(...withoutDates(text, { groups, joins }));
      groups = [];
      joins = [];
    }
    groups.push({ start: match.index, end: match.index + match[0].length });
  }
  runs.push(...withoutDates(text, { groups, joins }));
  return runs;
}

/** The run, or its parts before, between and behind the dates in it. */
function withoutDates(text: string, { groups, joins }: DigitRun): DigitRun[] {
  const parts: DigitRun[] = [];
  let from = 0;
  const cut = (to: number) => {
    if (to > from) parts.push({ groups: groups.slice(from, to), joins: joins.slice(from, to - 1) });
  };
  for (let at = 0; at < groups.length; at += 1) {
    const length = dateLength(text, { groups, joins }, at);
    if (length === 0) continue;
    cut(at);
    from = at + length;
    at = from - 1;
  }
  cut(groups.length);
  return parts;
}

/** How many digits the groups from `from` up to but not including `to` have. */
export function digitCount(groups: readonly Span[], from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += 1) count += lengthOf(groups[at]);
  return count;
}

export function lengthOf(group: Span | undefined): number {
  return group === undefined ? 0 : group.end - group.start;
}

/** The digits of a stretch of text, without what is between them. */
export function digitsIn(text: string): string {
  return text.replaceAll(/[^0-9]+/g, '');
}

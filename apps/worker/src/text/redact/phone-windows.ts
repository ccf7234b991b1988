import type { Span } from './detector.ts';
import { type DigitRun, digitCount, lengthOf } from './digit-runs.ts';

/** Consecutive groups of a run that could be one telephone number. */
export interface PhoneWindow extends Span {
  /** The run's groups: the first, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  readonly digits: string;
}

/** Fewer are a short code, which belongs to nobody. */
const leastDigits = 6;
/** Country code and number, what is dialled before it, and a zero in brackets. */
const mostDigits = 19;
const mostGroups = 9;
const mostSingles = 3;

/** The windows that begin at a group, the longest first. */
export function windowsFrom(text: string, run: DigitRun, from: number): PhoneWindow[] {
  const windows: PhoneWindow[] = [];
  let digits = 0;
  let singles = 0;
  for (let to = from + 1; to <= Math.min(run.groups.length, from + mostGroups); to += 1) {
    const length = lengthOf(run.groups[to - 1]);
    digits += length;
    if (length === 1) singles += 1;
    if (digits > mostDigits || singles > mostSingles) break;
    if (digits < leastDigits) continue;
    const window = windowOf(text, run, { from, to });
    if (hasPhoneShape(text, window)) windows.push(window);
  }
  return windows.reverse();
}

function windowOf(text: string, { groups }: DigitRun, { from, to }: { from: number; to: number }): PhoneWindow {
  const first = groups[from]?.start ?? 0;
  const end = groups[to - 1]?.end ?? 0;
  // An opening bracket belongs to the number when its closing one does.
  const inside = text.slice(first, end);
  const start =
    text[first - 1] === '(' && inside.indexOf(')') !== -1 && !beforeClosing(inside).includes('(') ? first - 1 : first;
  let digits = '';
  for (const { start: at, end: until } of groups.slice(from, to)) digits += text.slice(at, until);
  return { start, end, from, to, digits };
}

function beforeClosing(text: string): string {
  return text.slice(0, text.indexOf(')'));
}

/** At most one pair of brackets and one slash, no mark or space twice in a row, and not the look of decimal numbers. */
function hasPhoneShape(text: string, { start, end }: PhoneWindow): boolean {
  const written = text.slice(start, end);
  if (!/^[^()]*(?:\([^()]*\)[^()]*)?$/.test(written)) return false;
  if (/[-./] ?[-./]| {2}/.test(written) || /\/.*\//.test(written)) return false;
  if (/^0[ .-]/.test(written) || /^[1-9][0-9]*\.[0-9]+$/.test(written)) return false;
  // Thousands: 1 402 112 000.
  if (/^[1-9](?:[ .][0-9]{3})+$/.test(written)) return false;
  return !(/[0-9]\.[0-9]/.test(written) && /[0-9] [0-9]/.test(written));
}

/**
 * Whether a second number seems to begin inside the window: after enough digits for one number comes a group that begins
 * with the zero that the window also begins with. Gives where the first would end.
 */
export function endOfFirstNumber(
  text: string,
  { groups }: DigitRun,
  { from, to, digits }: PhoneWindow,
): number | undefined {
  const enough = 9;
  if (!digits.startsWith('0')) return undefined;
  for (let at = from + 1; at < to; at += 1) {
    const group = groups[at];
    if (group === undefined || text[group.start] !== '0' || lengthOf(group) < 3) continue;
    if (digitCount(groups, from, at) >= enough) return at;
  }
  return undefined;
}

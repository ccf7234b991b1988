import type { DigitRun } from './digit-runs.ts';

const dateJoins = new Set(['-', '.', '/', '. ']);
const groupsOfDate = 3;

/** How many groups of the run are a date that begins at one of them: 3, or 0 when there is none. */
export function dateLength(text: string, { groups, joins }: DigitRun, at: number): number {
  const join = joins[at];
  if (join === undefined || !dateJoins.has(join) || joins[at + 1] !== join) return 0;
  // More groups of the same kind on either side: something longer, such as a telephone number in pairs.
  if (joins[at - 1] === join || joins[at + 2] === join) return 0;
  const [first = '', second = '', third = ''] = groups
    .slice(at, at + groupsOfDate)
    .map(({ start, end }) => text.slice(start, end));
  return isYearFirst(first, second, third) || isYearLast(first, second, third) ? groupsOfDate : 0;
}

/** Digits in a row that are year, month and day. */
export function isCompactDate(digits: string): boolean {
  return digits.length === 8 && isYearFirst(digits.slice(0, 4), digits.slice(4, 6), digits.slice(6));
}

function isYearFirst(year: string, month: string, day: string): boolean {
  return isFullYear(year) && isWithin(month, 12) && isWithin(day, 31);
}

/** Day and month stand in either order. */
function isYearLast(first: string, second: string, year: string): boolean {
  if (!isFullYear(year) && year.length !== 2) return false;
  return (isWithin(first, 31) && isWithin(second, 12)) || (isWithin(first, 12) && isWithin(second, 31));
}

function isFullYear(text: string): boolean {
  return text.length === 4 && (text.startsWith('19') || text.startsWith('20'));
}

function isWithin(text: string, most: number): boolean {
  const value = Number(text);
  return text.length <= 2 && value >= 1 && value <= most;
}

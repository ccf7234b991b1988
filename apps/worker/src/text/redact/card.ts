import { isIssued } from './card-issuers.ts';
import type { Detector, Span } from './detector.ts';
import { type DigitRun, digitRuns, digitsIn, lengthOf } from './digit-runs.ts';
import { isLetter, isPartOfDecimal, standsAlone } from './edges.ts';

const leastDigits = 12;
const mostDigits = 19;
/** Groups of four, as most cards are printed. */
const four = 4;
/** A row of more groups of four than a card and one number beside it is a table, unless all of it is cards. */
const mostFoursBesideTables = 5;
const groupsPerCard = 4;

/** How the digits of a card may be grouped beside rows of four: by issuer, or in two halves. */
const otherLayouts = [
  [4, 6, 5],
  [4, 6, 4],
  [6, 13],
  [8, 8],
];

/** Payment cards: a known issuer, one of its lengths, and the check digit of Luhn (ISO/IEC 7812-1). */
export const cardDetector: Detector = {
  kind: 'card',
  find: (text) => digitRuns(text).flatMap((run) => cardsIn(text, run)),
};

function cardsIn(text: string, run: DigitRun): Span[] {
  const cards: Span[] = [];
  for (let at = 0; at < run.groups.length; at += 1) {
    const row = foursFrom(run, at);
    if (row > mostFoursBesideTables) {
      const tiles = tilesOf(text, run, { at, row });
      cards.push(...tiles);
      at += row - 1;
      continue;
    }
    const end = longestFrom(text, run, at);
    if (end === undefined) continue;
    cards.push(spanOf(run, at, end));
    at = end - 1;
  }
  return cards;
}

/** How many groups of four with the same separator begin at a group. */
function foursFrom({ groups, joins }: DigitRun, at: number): number {
  let row = 0;
  while (lengthOf(groups[at + row]) === four && (row === 0 || joins[at + row - 1] === joins[at])) row += 1;
  return row;
}

/** Cards that lie side by side in a row of fours, if all of the row is cards. */
function tilesOf(text: string, run: DigitRun, { at, row }: { at: number; row: number }): Span[] {
  const tiles: Span[] = [];
  for (let from = at; from < at + row; from += groupsPerCard) {
    const to = from + groupsPerCard;
    if (to > at + row || !isCard(text, run, { from, to })) return [];
    tiles.push(spanOf(run, from, to));
  }
  return tiles;
}

/** Where the longest card that begins at a group ends. */
function longestFrom(text: string, run: DigitRun, from: number): number | undefined {
  // No layout begins with less.
  if (lengthOf(run.groups[from]) < four) return undefined;
  let digits = 0;
  let end: number | undefined;
  for (let to = from + 1; to <= run.groups.length; to += 1) {
    digits += lengthOf(run.groups[to - 1]);
    if (digits > mostDigits) break;
    if (digits >= leastDigits && isCard(text, run, { from, to })) end = to;
  }
  return end;
}

interface Window {
  readonly from: number;
  readonly to: number;
}

function isCard(text: string, run: DigitRun, { from, to }: Window): boolean {
  if (!hasCardLayout(run, { from, to })) return false;
  const span = spanOf(run, from, to);
  const digits = digitsIn(text.slice(span.start, span.end));
  return passesLuhn(digits) && isIssued(digits) && isApart(text, run, { from, to });
}

function hasCardLayout({ groups, joins }: DigitRun, { from, to }: Window): boolean {
  if (to - from === 1) return true;
  const [join, ...rest] = joins.slice(from, to - 1);
  if (join === undefined || !/^(?:[ \-.]| - )$/.test(join) || rest.some((other) => other !== join)) return false;
  const lengths = groups.slice(from, to).map(lengthOf);
  const last = lengths.at(-1) ?? 0;
  if (lengths.slice(0, -1).every((length) => length === four) && last <= four) return true;
  return otherLayouts.some((layout) => layout.join() === lengths.join());
}

/** Whether nothing beside it makes it a part of something else: a longer number in the same style, a fraction, a name. */
function isApart(text: string, run: DigitRun, { from, to }: Window): boolean {
  const span = spanOf(run, from, to);
  if (!standsAlone(text, span) || isPartOfDecimal(text, span)) return false;
  if (text[span.start - 1] === '-' && isLetter(text[span.start - 2])) return false;
  if (text[span.end] === '-' && isLetter(text[span.end + 1])) return false;
  if (run.joins[from - 1] === '-') return false;
  // Behind a hyphen only the short number of the card's back may follow.
  const next = lengthOf(run.groups[to]);
  return run.joins[to - 1] !== '-' || ((next === 3 || next === four) && run.joins[to] !== '-');
}

function spanOf({ groups }: DigitRun, from: number, to: number): Span {
  return { start: groups[from]?.start ?? 0, end: groups[to - 1]?.end ?? 0 };
}

/** The check of Luhn (ISO/IEC 7812-1, annex B): every second digit from the right counts double, the sum is a multiple of ten. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 1; place <= digits.length; place += 1) {
    const digit = Number(digits[digits.length - place]);
    const doubled = place % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

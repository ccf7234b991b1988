import { isCompactDate } from './dates.ts';
import type { DetectOptions, Detector, Span } from './detector.ts';
import { type DigitRun, digitRuns } from './digit-runs.ts';
import { isDigit, isLetter, isPartOfDecimal, isWordCharacter } from './edges.ts';
import { judgeInternational, type PhoneCertainty, type PhonePlan, phonePlan } from './phone-plan.ts';
import { endOfFirstNumber, type PhoneWindow, windowsFrom } from './phone-windows.ts';
import { isBehindOtherWord, isBehindPhoneWord } from './phone-words.ts';

/**
 * Telephone numbers, judged by libphonenumber's metadata: with a country code, as they are written in the region that was
 * given, in the North American form of three groups, and any digits behind a word such as `phone`. Numbers of made-up
 * subscribers (555-0123) count where their form is right: texts are full of them, and a reader cannot tell.
 */
export const phoneDetector: Detector = {
  kind: 'phone',
  find(text, { region }: DetectOptions) {
    const plan = region === undefined ? undefined : phonePlan(region);
    const found: Span[] = [];
    let free = 0;
    for (const run of digitRuns(text)) {
      for (const span of phonesIn({ text, run, plan, free })) {
        found.push(span);
        free = span.end;
      }
    }
    return found;
  },
};

/** What is looked at: a run of digits, from `free` on, under the plan of the region. */
interface Search {
  readonly text: string;
  readonly run: DigitRun;
  readonly plan: PhonePlan | undefined;
  readonly free: number;
}

/** So many groups may stand before a number in its run: a house number, the number of a list. */
const startsPerRun = 3;

function phonesIn(search: Search): Span[] {
  const { text, run } = search;
  const found: Span[] = [];
  const first = run.groups[0];
  let isNamed = first !== undefined && isBehindPhoneWord(text, first.start);
  /** Unsigned numbers begin near the front of a run, or behind another: a long row is a table, and would cost as one. */
  let lastStart = startsPerRun - 1;
  for (let at = 0; at < run.groups.length; at += 1) {
    if ((run.groups[at]?.start ?? 0) < search.free) continue;
    const mayBeUnsigned = at <= lastStart || (run.joins[at - 1] ?? '').includes('/');
    const window = phoneFrom(search, at, { isNamed, mayBeUnsigned });
    // The word also goes for a second number behind a slash, but for nothing behind what is no number.
    isNamed &&= window !== undefined && (run.joins[window.to - 1] ?? '').includes('/');
    if (window === undefined) continue;
    found.push({ start: window.start, end: window.end + extensionLength(text, window.end) });
    at = window.to - 1;
    lastStart = at + startsPerRun;
  }
  return found;
}

interface Circumstances {
  /** Whether a word before it says that it is a telephone number. */
  readonly isNamed: boolean;
  readonly mayBeUnsigned: boolean;
}

/** The telephone number that begins at a group, with the sign before it. */
function phoneFrom(search: Search, at: number, { isNamed, mayBeUnsigned }: Circumstances): PhoneWindow | undefined {
  const { text, run } = search;
  const group = run.groups[at];
  if (group === undefined) return undefined;
  const sign = signBefore(text, group.start);
  if (sign === 0 && !mayBeUnsigned) return undefined;
  const windows = windowsFrom(text, run, at).filter((window) => isFreeBehind(text, window, sign > 0));
  if (sign > 0) return international(text, windows, sign);
  if (!isFreeBefore(text, windows[0]?.start ?? group.start)) return undefined;
  return national(search, windows, isNamed);
}

/** How many characters the sign of an international number takes; 0 where there is none. It must not be a plus of arithmetic. */
function signBefore(text: string, start: number): number {
  const length =
    text[start - 1] === '+' ? 1 : text.slice(Math.max(0, start - 3), start).toUpperCase() === '%2B' ? 3 : 0;
  const before = text[start - length - 1];
  return length === 0 || isWordCharacter(before) || before === '+' || before === ')' ? 0 : length;
}

function international(text: string, windows: readonly PhoneWindow[], sign: number): PhoneWindow | undefined {
  const signed = windows.map((window) => ({ ...window, start: window.start - sign }));
  const usable = signed.filter(({ start }) => text[start] !== '(');
  return surest(usable, ({ digits }) => judgeInternational(digits));
}

function national(search: Search, windows: readonly PhoneWindow[], isNamed: boolean): PhoneWindow | undefined {
  const { text, run } = search;
  const [longest] = windows;
  if (longest === undefined) return undefined;
  if (!isNamed && isSomethingElse(text, longest)) return undefined;
  const cut = endOfFirstNumber(text, run, longest);
  const ordered = cut === undefined ? windows : [...windows.filter(({ to }) => to <= cut), ...windows];
  const byPlan = surest(ordered, (window) => judge(search, window));
  if (byPlan?.certainty === 'valid') return byPlan;
  // Behind the word all digits count that one number can have: what is cut off too early stays readable.
  return isNamed ? ordered.find(({ digits }) => digits.length <= mostWritten) : undefined;
}

const leastInOneGroup = 8;

function judge({ text, run, plan }: Search, { start, end, digits, from, to }: PhoneWindow): PhoneCertainty {
  const abroad = (plan?.abroad ?? /^00(?=[1-9])/).exec(digits);
  // Inside a row of numbers two zeros are nothing special.
  if (abroad !== null && (from === 0 || (run.joins[from - 1] ?? '').includes('/'))) {
    const certainty = judgeInternational(digits.slice(abroad[0].length));
    if (certainty === 'valid') return certainty;
  }
  if (isNorthAmerican(text.slice(start, end), digits, plan)) return 'valid';
  // A single group of few digits is rather anything else, and one of eight may be a date.
  if (to - from === 1 && (digits.length < leastInOneGroup || isCompactDate(digits))) return 'none';
  return plan?.judge(digits) ?? 'none';
}

const northAmerica = '1';

/** Three groups as North America writes them; with spaces alone other numbers look so too, and its plan decides. */
function isNorthAmerican(written: string, digits: string, plan: PhonePlan | undefined): boolean {
  if (/^(?:1[-. ])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-./])[0-9]{3}[-. ][0-9]{4}$/.test(written)) return true;
  const isSpaced = /^(?:1 )?[2-9][0-9]{2} [0-9]{3}[ -][0-9]{4}$/.test(written);
  if (!isSpaced || (plan !== undefined && plan.countryCode !== northAmerica)) return false;
  return judgeInternational(digits.length === 11 ? digits : `${northAmerica}${digits}`) === 'valid';
}

/** ITU-T E.164: country code and number together. */
const mostWritten = 15;

type Judged = PhoneWindow & { readonly certainty: PhoneCertainty };

/** The first window that is in use; else the first that is possible. */
function surest(
  windows: readonly PhoneWindow[],
  judgement: (window: PhoneWindow) => PhoneCertainty,
): Judged | undefined {
  let possible: Judged | undefined;
  for (const window of windows) {
    const certainty = judgement(window);
    if (certainty === 'valid') return { ...window, certainty };
    if (certainty === 'possible') possible ??= { ...window, certainty };
  }
  return possible;
}

/** Whether no name, amount or path stands right before a number without a sign. */
function isFreeBefore(text: string, start: number): boolean {
  const before = text[start - 1];
  if (isWordCharacter(before) || (before !== undefined && /[$€£¥₹#%@+]/.test(before))) return false;
  if (before === '-' || before === '/') return !isWordCharacter(text[start - 2]);
  return !isPartOfDecimal(text, { start, end: start });
}

/** Whether the number does not go on, and is no share of something else, behind its last digit. */
function isFreeBehind(text: string, { start, end, from, to }: PhoneWindow, isSigned: boolean): boolean {
  if (extensionLength(text, end) > 0) return true;
  const after = text[end];
  const next = text[end + 1];
  const isOneGroup = !isSigned && to - from === 1;
  if (isWordCharacter(after) || after === '%' || after === '°') return false;
  if (after === '.') return !isDigit(next);
  if (after === '-') return !isDigit(next) && !isLetter(next);
  if (after === '/') return !isOneGroup || !isDigit(next);
  // Cents behind an amount; but a comma is also between the fields of a table.
  const canBeAmount = isOneGroup || (!isSigned && text.slice(start, end).includes('.'));
  return !canBeAmount || !/^,[0-9]{1,2}(?![0-9])/.test(text.slice(end, end + 4));
}

const units =
  /^ ?(?:[€$£¥₹%°]|(?:eur|euros?|usd|dollars?|gbp|chf|kr|kč|zł|руб|%|kg|km|cm|mm|ms|µs|ns|kb|mb|gb|bytes?|people|units|stars|points|rows|users|times)\b)/i;

/** Whether what stands around it makes it a value, an amount, or the number of something else. */
function isSomethingElse(text: string, window: PhoneWindow): boolean {
  const { start, end, from, to } = window;
  if (text[start - 1] === '=' && to - from === 1) return true;
  // The tail of a number with thousands between commas: 7,817,686.84.
  if (text[start - 1] === ',' && isDigit(text[start - 2]) && /^[0-9]{3}\./.test(text.slice(start, end))) return true;
  return isMeasured(text, window) || isBehindOtherWord(text, start);
}

/** Whether a unit or a currency makes it an amount. */
function isMeasured(text: string, { start, end }: PhoneWindow): boolean {
  return (
    units.test(text.slice(end, end + 12)) ||
    /(?:[$€£¥₹]|\b(?:EUR|USD|GBP|CHF)) ?$/.test(text.slice(Math.max(0, start - 5), start))
  );
}

const extension =
  /^(?:,? ?(?:ext(?:ension|n)?\.?|x|доб\.?|durchwahl|dw\.?|poste|interno|int\.?|anexo|ramal)[ .:]{0,2})[0-9]{1,6}(?![0-9A-Za-z])/i;

/** How long the extension behind a number is, with the word before it; 0 where there is none. */
function extensionLength(text: string, end: number): number {
  return extension.exec(text.slice(end, end + 24))?.[0].length ?? 0;
}

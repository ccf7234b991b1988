/**
 * A text as detectors read it: digits of any script are ASCII digits, full-width characters are narrow, spaces and hyphens
 * of every kind are ` ` and `-`, and what nobody sees (soft hyphens, zero-width and direction marks) is gone.
 */
export interface FoldedText {
  readonly text: string;
  /** Where a place in the folded text, also its end, is in the original. */
  original(index: number): number;
  /** Where in the original the folded character before `index` ends. */
  originalEnd(index: number): number;
}

const beyondAscii = /[\u0080-\uffff]/;

/** Folds a text; the work grows with its length. */
export function fold(text: string): FoldedText {
  if (!beyondAscii.test(text)) return { text, original: (index) => index, originalEnd: (index) => index };
  const units = new Uint16Array(text.length);
  const places = new Uint32Array(text.length + 1);
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    const afterDigit = length > 0 && isAsciiDigit(units[length - 1] ?? 0);
    const folded = unit < 0x80 ? unit : (foldUnit(unit, afterDigit) ?? foldPair(text, index));
    if (folded === dropped) continue;
    units[length] = folded;
    places[length] = index;
    length += 1;
    // A digit beyond the basic plane is two units that become one.
    if (isHighSurrogate(unit) && isAsciiDigit(folded)) index += 1;
  }
  places[length] = text.length;
  // The text is UTF-16 in memory order, lone surrogates included: what TextDecoder would replace stays.
  const folded = Buffer.from(units.buffer, 0, length * 2).toString('utf16le');
  const original = (index: number) => places[index] ?? text.length;
  const widthAt = (place: number) => (pairedDigit(text, place) === undefined ? 1 : 2);
  return {
    text: folded,
    original,
    originalEnd: (index) => (index === 0 ? 0 : original(index - 1) + widthAt(original(index - 1))),
  };
}

/** In the place of a character that is left out. */
const dropped = -1;

const space = 0x20;
const hyphen = 0x2d;
/** The katakana mark of length, which also stands for a hyphen between digits. */
const longSound = 0x30fc;
const digit = /^\p{Nd}$/u;
const spaces = /^\p{Zs}$/u;
const hyphens = /^[\p{Pd}\u2212\u2043]$/u;
/** Formatting characters, variation selectors and the frame of keycap digits. */
const unseen = /^(?:\p{Cf}|[\ufe00-\ufe0f]|\u20e3)$/u;

/** What each unit of the basic plane becomes, once it has been asked for. */
const known = new Map<number, number | undefined>();

/** What a unit becomes; undefined for half of a character beyond the basic plane. */
function foldUnit(unit: number, afterDigit: boolean): number | undefined {
  if (unit === longSound) return afterDigit ? hyphen : unit;
  if (known.has(unit)) return known.get(unit);
  const folded = classify(unit);
  known.set(unit, folded);
  return folded;
}

function classify(unit: number): number | undefined {
  if (unit >= 0xd800 && unit <= 0xdfff) return undefined;
  const character = String.fromCharCode(unit);
  if (digit.test(character)) return asciiDigit(unit);
  if (spaces.test(character)) return space;
  if (hyphens.test(character)) return hyphen;
  if (unseen.test(character)) return dropped;
  // Full-width forms of ASCII.
  if (unit >= 0xff01 && unit <= 0xff5e) return unit - 0xfee0;
  return unit;
}

/** A digit beyond the basic plane as ASCII; any other unit as it is. */
function foldPair(text: string, index: number): number {
  return pairedDigit(text, index) ?? text.charCodeAt(index);
}

/** What each character beyond the basic plane becomes that has been asked for: undefined but for digits. */
const knownPairs = new Map<number, number | undefined>();

function pairedDigit(text: string, index: number): number | undefined {
  const point = text.codePointAt(index) ?? 0;
  // No script beyond the first supplementary plane has digits.
  if (point <= 0xffff || point > 0x1ffff) return undefined;
  if (knownPairs.has(point)) return knownPairs.get(point);
  const folded = digit.test(String.fromCodePoint(point)) ? asciiDigit(point) : undefined;
  knownPairs.set(point, folded);
  return folded;
}

/** The ASCII digit of a decimal digit: Unicode has those of a script in a row of ten, or of tens, that begins with a zero. */
function asciiDigit(point: number): number {
  let first = point;
  while (digit.test(String.fromCodePoint(first - 1))) first -= 1;
  return 0x30 + ((point - first) % 10);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isAsciiDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

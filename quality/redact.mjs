import { readFileSync } from 'node:fs';
import { getCountries, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { redactProcessor } from '../apps/worker/dist/text/redact.js';
import { redactKinds } from '../packages/shared/dist/tasks/text/redact.js';
import { createRandom } from './random.mjs';

/** @typedef {ReturnType<typeof createRandom>} Random */
/** @typedef {import('../packages/shared/dist/tasks/text/redact.js').RedactKind} RedactKind */
/** @typedef {{ text: string, region?: string | undefined, find?: [RedactKind, string][] }} Line */
/** @typedef {Record<RedactKind, { wanted: number, found: number, wrong: number }>} Tally */

/**
 * How much of what should be redacted is, and how much else is too. Two sets: texts written by hand (data/redact-*.jsonl), and
 * texts made from a seed around values that are computed here, by code of its own. A finding counts when its kind and both of
 * its ends are right.
 */
export async function check() {
  const byHand = await judge([...readLines('redact-found.jsonl'), ...readLines('redact-left.jsonl')]);
  const made = await judge([...makeFound(createRandom(20)), ...makeLeft(createRandom(21))]);
  return [...rowsOf(byHand, 'by hand'), ...rowsOf(made, 'made from a seed')];
}

/**
 * @param {string} name
 * @returns {Line[]}
 */
function readLines(name) {
  const text = readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/**
 * Per kind: values to find, those found, findings that should not be.
 *
 * @param {readonly Line[]} lines
 */
async function judge(lines) {
  const tally = /** @type {Tally} */ (
    Object.fromEntries(redactKinds.map((kind) => [kind, { wanted: 0, found: 0, wrong: 0 }]))
  );
  for (const { text, region, find = [] } of lines) {
    const [outcome] = await redactProcessor.process([{ text, region, kinds: redactKinds }], {
      count: () => {},
      signal: new AbortController().signal,
    });
    if (outcome?.ok !== true) throw new Error('a text could not be searched');
    const got = outcome.value.findings.map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`);
    for (const [kind, value] of find) {
      tally[kind].wanted += 1;
      const at = got.indexOf(`${kind} ${value}`);
      if (at === -1) continue;
      tally[kind].found += 1;
      got.splice(at, 1);
    }
    for (const rest of got) tally[/** @type {RedactKind} */ (rest.split(' ', 1)[0])].wrong += 1;
  }
  return { tally, texts: lines.length };
}

/**
 * @param {Awaited<ReturnType<typeof judge>>} judged
 * @param {string} set
 */
function rowsOf({ tally, texts }, set) {
  const described = `${texts} texts ${set}`;
  return Object.entries(tally).flatMap(([kind, { wanted, found, wrong }]) => [
    ...(wanted === 0
      ? []
      : [
          {
            check: `text.redact: ${kind} found`,
            figure: found / wanted,
            unit: 'share',
            goal: 0.98,
            set: `${described}, ${wanted} to find`,
          },
        ]),
    {
      check: `text.redact: ${kind} false alarms`,
      figure: (wrong * 1000) / texts,
      unit: 'per 1,000 texts',
      goal: 10,
      set: described,
    },
  ]);
}

/** @type {((value: string) => string)[]} */
const around = [
  (value) => `Please note: ${value}.`,
  (value) => `${value}`,
  (value) => `She wrote "${value}" on the form, and left.`,
  (value) => `Ihre Angaben (${value}) wurden gespeichert.`,
  (value) => `id;value\n17;${value};ok\n`,
  (value) => `<td>${value}</td>`,
  (value) => `{"value":"${value}"}`,
  (value) => `资料：${value}。`,
  (value) => `log: user gave ${value}, see above`,
];

/**
 * Texts around one value each.
 *
 * @param {Random} random
 * @returns {Generator<Line>}
 */
function* makeFound(random) {
  /** @type {(kind: RedactKind, value: string, region?: string) => Line} */
  const wrap = (kind, value, region) => ({ text: random.pick(around)(value), region, find: [[kind, value]] });
  for (let round = 0; round < 400; round += 1) yield wrap('card', random.pick(cardStyles)(makeCard(random)));
  for (const iban of readIbans()) {
    yield wrap('iban', iban);
    yield wrap('iban', inFours(iban));
    yield wrap('iban', inFours(iban.toLowerCase()));
  }
  for (const region of getCountries()) {
    const number = getExampleNumber(region, examples);
    if (number === undefined) continue;
    yield wrap('phone', number.number);
    yield wrap('phone', number.formatInternational());
    yield wrap('phone', number.formatNational(), region);
  }
  for (let round = 0; round < 300; round += 1) {
    yield wrap('email', makeEmail(random));
    yield wrap('ip', makeIp4(random));
    yield wrap('ip', makeIp6(random));
    yield wrap('mac', makeMac(random));
    yield wrap('ssn', makeSsn(random));
  }
}

/** @type {[string, number][]} */
const issuers = [
  ['4', 16],
  ['51', 16],
  ['55', 16],
  ['2300', 16],
  ['34', 15],
  ['37', 15],
  ['6011', 16],
  ['65', 16],
  ['3530', 16],
  ['36', 14],
  ['62', 16],
  ['2202', 16],
];
/** @type {((digits: string) => string)[]} */
const cardStyles = [(digits) => digits, (digits) => inFours(digits), (digits) => inFours(digits, '-'), grouped];

/**
 * As it stands on the card: 4-6-5 of American Express, 4-6-4 of Diners Club.
 *
 * @param {string} digits
 */
function grouped(digits) {
  if (digits.length === 16) return inFours(digits, '\u00a0');
  return `${digits.slice(0, 4)} ${digits.slice(4, 10)} ${digits.slice(10)}`;
}

/** @param {Random} random */
function makeCard(random) {
  const [prefix, length] = random.pick(issuers);
  const body = prefix + random.digits(length - prefix.length - 1);
  for (let check = 0; check < 10; check += 1) if (luhnSum(`${body}${check}`) % 10 === 0) return `${body}${check}`;
  throw new Error('one of ten digits is right');
}

/** @param {string} digits */
function luhnSum(digits) {
  return [...digits]
    .reverse()
    .reduce((sum, digit, place) => sum + (place % 2 === 1 ? Number('0246813579'[Number(digit)]) : Number(digit)), 0);
}

/** @type {((iban: string) => string)[]} */
const ibanStyles = [(iban) => iban, (iban) => inFours(iban)];

function readIbans() {
  return readFileSync(new URL('data/iban-examples.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n');
}

/**
 * @param {string} text
 * @param {string} join
 */
function inFours(text, join = ' ') {
  return (text.match(/.{1,4}/g) ?? []).join(join);
}

/** @param {Random} random */
function makeEmail(random) {
  const local = [
    random.letters(1 + random.below(8)),
    random.pick(['', '.', '_', '+', '-']),
    random.letters(1 + random.below(8)),
  ].join('');
  return `${local}@${random.letters(2 + random.below(9))}${random.pick(['', '-1', '.sub'])}.${random.pick(['com', 'example', 'org', 'co.uk', 'de', 'museum'])}`;
}

/** @param {Random} random */
function makeIp4(random) {
  const first = 1 + random.below(223);
  return [first, random.below(256), random.below(256), 1 + random.below(254)].join('.');
}

/** @param {Random} random */
function makeIp6(random) {
  const group = () => random.below(65536).toString(16);
  const long = ['2001', 'db8', group(), group(), group(), group(), group(), group()].join(':');
  return random.below(2) === 0 ? long : `2001:db8::${group()}:1${random.hex(3)}`;
}

/** @param {Random} random */
function makeMac(random) {
  const pairs = Array.from(
    { length: 6 },
    (_, at) => (at === 2 ? 'c' : random.below(16).toString(16)) + random.below(16).toString(16),
  );
  return pairs.join(random.pick([':', '-']));
}

/** @param {Random} random */
function makeSsn(random) {
  const area = String(1 + random.below(665)).padStart(3, '0');
  return `${area}-${String(1 + random.below(99)).padStart(2, '0')}-${String(1 + random.below(9999)).padStart(4, '0')}`;
}

/**
 * Texts with what looks like something to redact, and is not.
 *
 * @param {Random} random
 * @returns {Generator<Line>}
 */
function* makeLeft(random) {
  /** @type {(value: string, region?: string) => Line} */
  const wrap = (value, region) => ({ text: random.pick(around)(value), region });
  const ibans = readIbans();
  for (let round = 0; round < 300; round += 1) {
    const card = makeCard(random);
    yield wrap(random.pick(cardStyles)(otherDigit(random, card, card.length - 1)));
    const iban = random.pick(ibans);
    yield wrap(random.pick(ibanStyles)(otherDigit(random, iban, 2 + random.below(2))));
    yield wrap(random.hex(random.pick([8, 12, 16, 32, 40, 64])));
    yield wrap(`${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`);
    yield wrap(`version ${random.below(20)}.${random.below(20)}.${random.below(20)}.${random.below(20)}`);
    yield wrap(
      `${1970 + random.below(80)}-${two(random, 12)}-${two(random, 28)}T${two(random, 23)}:${two(random, 59)}:${two(random, 59)}Z`,
      'US',
    );
    yield wrap(
      `${two(random, 28)}.${two(random, 12)}.${1970 + random.below(80)} ${two(random, 23)}:${two(random, 59)}`,
      'DE',
    );
    yield wrap(`order ${random.digits(7 + random.below(9))}`, random.pick(['US', 'DE', 'FR', undefined]));
    yield wrap(`invoice #${random.digits(10)}`, random.pick(['US', 'DE', 'GB']));
    yield wrap(`${1 + random.below(900)},${random.digits(3)},${random.digits(3)}.${random.digits(2)}`, 'US');
    yield wrap(`${1 + random.below(900)}.${random.digits(3)}.${random.digits(3)},${random.digits(2)} EUR`, 'DE');
    yield wrap(`${random.below(90)}.${random.digits(7)}, -${random.below(180)}.${random.digits(7)}`, 'US');
    yield wrap(random.digits(random.pick([5, 6, 7, 9, 11, 13, 17, 20])));
    yield wrap(`000-${random.digits(2)}-${random.digits(4)}`);
    yield wrap(Array.from({ length: 12 }, () => random.digits(4)).join(' '));
  }
}

/**
 * @param {Random} random
 * @param {number} most
 */
function two(random, most) {
  return String(1 + random.below(most)).padStart(2, '0');
}

/**
 * The text with another digit in one place.
 *
 * @param {Random} random
 * @param {string} text
 * @param {number} place
 */
function otherDigit(random, text, place) {
  const digit = (Number(text[place]) + 1 + random.below(9)) % 10;
  return text.slice(0, place) + digit + text.slice(place + 1);
}

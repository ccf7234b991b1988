import type { Detector, Span } from './detector.ts';
import { isWordCharacter } from './edges.ts';
import { keyShapes } from './key-shapes.ts';

/**
 * Secrets that can be told by their form: private keys (RFC 7468), JSON web tokens (RFC 7519), keys of services that begin with
 * a mark of their own; and by their name: bearer tokens (RFC 6750), and values of fields such as `password=`.
 */
export const secretDetector: Detector = {
  kind: 'secret',
  find(text) {
    const spans = [...privateKeys(text), ...webTokens(text), ...serviceKeys(text), ...namedValues(text)];
    return withoutOverlaps(spans.sort((a, b) => a.start - b.start || b.end - a.end));
  },
};

function withoutOverlaps(spans: readonly Span[]): Span[] {
  const kept: Span[] = [];
  for (const span of spans) if (span.start >= (kept.at(-1)?.end ?? 0)) kept.push(span);
  return kept;
}

const longestKey = 16_384;
const keyHead = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;
const keyTail = /-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/;

/** From the first line to the last; where that is missing, as far as there are characters of a key. */
function privateKeys(text: string): Span[] {
  return [...text.matchAll(keyHead)].map(({ 0: head, index }) => {
    const from = index + head.length;
    const nextHead = text.indexOf('-----BEGIN ', from);
    const rest = text.slice(from, Math.min(from + longestKey, nextHead === -1 ? text.length : nextHead));
    const tail = keyTail.exec(rest);
    const length =
      tail === null ? (/^[A-Za-z0-9+/=\s\\]*/.exec(rest)?.[0].trimEnd().length ?? 0) : tail.index + tail[0].length;
    return { start: index, end: from + length };
  });
}

const webToken = /eyJ[A-Za-z0-9_-]{5,4096}\.[A-Za-z0-9_-]{2,16384}\.[A-Za-z0-9_-]{0,4096}/y;

/** Three parts of base64url, the first of which is a JSON object that names an algorithm. */
function webTokens(text: string): Span[] {
  const found: Span[] = [];
  for (let at = text.indexOf('eyJ'); at !== -1; at = text.indexOf('eyJ', at)) {
    webToken.lastIndex = at;
    const token = isWordCharacter(text[at - 1]) ? undefined : webToken.exec(text)?.[0];
    if (token === undefined || !hasAlgorithm(token)) {
      // On behind the word: a long one is looked at once.
      at = endOfWord(text, at + 3);
      continue;
    }
    found.push({ start: at, end: at + token.length });
    at += token.length;
  }
  return found;
}

function endOfWord(text: string, from: number): number {
  let end = from;
  while (end < text.length && /[A-Za-z0-9_-]/.test(text[end] ?? '')) end += 1;
  return end;
}

function hasAlgorithm(token: string): boolean {
  const head = token.slice(0, token.indexOf('.'));
  return Buffer.from(head, 'base64url').toString('latin1').includes('"alg"');
}

function serviceKeys(text: string): Span[] {
  return keyShapes.flatMap((shape) =>
    [...text.matchAll(shape)]
      .map(({ 0: key, index }) => ({ start: index, end: index + key.length }))
      .filter(({ start, end }) => !isWordCharacter(text[start - 1]) && !isWordCharacter(text[end])),
  );
}

const fieldNames =
  'pass|passwd|password|passphrase|pwd|secret|client_secret|secret_key|api_?key|api-key|access_?key|access_?token|refresh_?token|auth_?token|session_?token|private_?key';
/** `name=value`, and `"name": "value"` of JSON. The sign must stand at the name: prose does not write so. */
const assigned = new RegExp(`(?:^|[^A-Za-z0-9])(?:[A-Za-z0-9]{1,32}[_-]){0,3}(?:${fieldNames})=["']?`, 'gi');
const quoted = new RegExp(`["'](?:[A-Za-z0-9]{1,32}[_-]){0,3}(?:${fieldNames})["'] {0,4}[:=] {0,4}["']`, 'gi');
const authorization = /\bauthorization["']? {0,4}[:=] {0,4}["']?(?:bearer|basic|token) {1,4}/gi;
const longestValue = 512;
const shortestValue = 4;

function namedValues(text: string): Span[] {
  return [
    ...valuesBehind(text, assigned, /^[^\s"'`&,;<>()[\]{}$*]*/),
    ...valuesBehind(text, quoted, /^[^"'\r\n<>{}$*]*/),
    ...valuesBehind(text, authorization, /^[A-Za-z0-9+/=._~-]*/),
  ];
}

/** What stands where a value has been removed already. */
const removed = /^(?:\[[^\]]*\]|\*+|x{4,}|redacted|removed|hidden|null|none|undefined|true|false)$/i;

/** The values behind names; templates (`$PASSWORD`, `<password>`), stars and calls of a function have none. */
function valuesBehind(text: string, names: RegExp, value: RegExp): Span[] {
  return [...text.matchAll(names)].flatMap(({ 0: name, index }) => {
    const start = index + name.length;
    const length = value.exec(text.slice(start, start + longestValue))?.[0].length ?? 0;
    const end = start + length;
    if (length < shortestValue || text[end] === '(' || removed.test(text.slice(start, end))) return [];
    return [{ start, end }];
  });
}

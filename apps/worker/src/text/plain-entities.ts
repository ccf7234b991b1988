import type { Entity, plainEntityKinds } from '@millrace/shared/tasks/text/analyze';

type PlainKind = (typeof plainEntityKinds)[number];

/** Where one of these kinds may begin, or for an address be; nothing in it can go back and forth over a text. */
const trigger =
  /\b(?:https?|ftp):\/\/|\bwww\.|[@#]|(?<![\p{L}\p{N}])[:;=][-'’]?[()DPpOo/\\|*[\]]|<\/?3|[\p{Emoji_Presentation}\p{Regional_Indicator}]|\p{Extended_Pictographic}\uFE0F|[0-9#*]\uFE0F?\u20E3/giu;

/**
 * What is written alike in all languages: e-mail addresses, URLs, hashtags, mentions, emoji and emoticons, in order, none over another.
 * By patterns of our own: wink's take exponential time for some URLs, know ASCII alone, and cut emoji that are joined.
 */
export function findPlainEntities(text: string): Entity[] {
  const found: Entity[] = [];
  let read = 0;
  trigger.lastIndex = 0;
  for (let match = trigger.exec(text); match !== null; match = trigger.exec(text)) {
    const entity = entityAt(text, match.index, match[0]);
    if (entity === undefined || entity.start < read) {
      trigger.lastIndex = match.index + Math.max(1, match[0].length);
      continue;
    }
    found.push(entity);
    read = entity.end;
    trigger.lastIndex = entity.end;
  }
  return found;
}

/** A text as long as it was, with spaces for the addresses, mentions and hashtags in it: they are no words of a language. */
export function withoutAddresses(text: string, entities: readonly Entity[]): string {
  const parts: string[] = [];
  let read = 0;
  for (const { start, end, kind } of entities) {
    if (kind === 'emoji' || kind === 'emoticon') continue;
    parts.push(text.slice(read, start), ' '.repeat(end - start));
    read = end;
  }
  return parts.join('') + text.slice(read);
}

function entityAt(text: string, index: number, found: string): Entity | undefined {
  if (found === '@') return emailAt(text, index) ?? tagAt(text, index, 'mention');
  if (found === '#') return tagAt(text, index, 'hashtag');
  if (/^[hfw]/i.test(found)) return urlAt(text, index, found);
  if (/^[:;=<]/.test(found)) return emoticonAt(text, index, found);
  return emojiAt(text, index, found);
}

function entity(text: string, kind: PlainKind, { start, end }: { start: number; end: number }): Entity {
  return { text: text.slice(start, end), start, end, kind };
}

/** The longest address that browsers and servers agree on. UTF-16 units. */
const longestUrl = 2048;
/** A URL goes on up to white space, a mark that no URL has, or text in a script without spaces. */
const notInUrl =
  /[\s<>"`{}|\\^«»“”„\p{Cc}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\u3000-\u303F\uFF00-\uFFEF]/u;

function urlAt(text: string, start: number, scheme: string): Entity | undefined {
  const run = text.slice(start, start + longestUrl);
  const stop = run.search(notInUrl);
  const body = withoutClosing(stop === -1 ? run : run.slice(0, stop));
  const host = body.slice(scheme.length).split(/[/?#]/, 1)[0] ?? '';
  if (!/^[\p{L}\p{N}[]/u.test(host) || (scheme.toLowerCase() === 'www.' && !host.includes('.'))) return undefined;
  return entity(text, 'url', { start, end: start + body.length });
}

/** Marks at the end belong to the sentence, and so does a bracket whose other half is not in the URL. */
function withoutClosing(url: string): string {
  const unpaired = { ')': countOf(url, ')') - countOf(url, '('), ']': countOf(url, ']') - countOf(url, '[') };
  let end = url.length;
  while (end > 0) {
    const last = url.charAt(end - 1);
    if (last === ')' || last === ']') {
      if (unpaired[last] <= 0) break;
      unpaired[last] -= 1;
    } else if (!/[.,;:!?'’…*_~]/.test(last)) break;
    end -= 1;
  }
  return url.slice(0, end);
}

function countOf(text: string, unit: string): number {
  return text.split(unit).length - 1;
}

/** By RFC 5321: 64 octets before the @, 255 behind it. */
const longestLocal = 64;
const longestDomain = 255;

function emailAt(text: string, at: number): Entity | undefined {
  const before = text.slice(Math.max(0, at - longestLocal - 1), at);
  const after = text.slice(at + 1, at + 1 + longestDomain);
  const [local] = /[\p{L}\p{N}][\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]*$/u.exec(before) ?? [];
  const [domain] = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]|\.(?=[\p{L}\p{N}]))*/u.exec(after) ?? [];
  if (local === undefined || local.length > longestLocal || local.endsWith('.')) return undefined;
  if (domain === undefined || !/\.\p{L}[\p{L}\p{M}\p{N}-]*[\p{L}\p{N}]$/u.test(domain)) return undefined;
  return entity(text, 'email', { start: at - local.length, end: at + 1 + domain.length });
}

/** Longer names no service has. UTF-16 units. */
const longestTag = 140;

function tagAt(text: string, start: number, kind: 'mention' | 'hashtag'): Entity | undefined {
  if (start > 0 && /[\p{L}\p{N}\p{M}_&@#/.]/u.test(text.charAt(start - 1))) return undefined;
  const [name] = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*/u.exec(text.slice(start + 1, start + 1 + longestTag)) ?? [];
  if (name === undefined || !/\p{L}/u.test(name)) return undefined;
  return entity(text, kind, { start, end: start + 1 + name.length });
}

function emoticonAt(text: string, start: number, found: string): Entity | undefined {
  const end = start + found.length;
  const isApart = (unit: string) => unit === '' || /[\s.,!?()"'”“…]/.test(unit);
  return isApart(text.charAt(start - 1)) && isApart(text.charAt(end))
    ? entity(text, 'emoticon', { start, end })
    : undefined;
}

let graphemes: Intl.Segmenter | undefined;
/** A family of four with its joiners and skin tones has 41. UTF-16 units. */
const longestEmoji = 64;

/** What joins, colours or ends an emoji of several characters: a joiner, a selector, a skin tone, the second letter of a flag. */
const goesOn = /^[\u200D\uFE0F\u20E3\p{Emoji_Modifier}\p{Regional_Indicator}]/u;

/** With all that is joined to it: skin tones, families, flags. */
function emojiAt(text: string, start: number, found: string): Entity {
  const end = start + found.length;
  if (!goesOn.test(text.slice(end, end + 2))) return entity(text, 'emoji', { start, end });
  graphemes ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  const [first] = graphemes.segment(text.slice(start, start + longestEmoji));
  return entity(text, 'emoji', { start, end: start + (first?.segment.length ?? found.length) });
}

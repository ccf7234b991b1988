import type { EndFinder } from './record-cutter.ts';

const quote = 0x22;
const lineFeed = 0x0a;

type State = 'start' | 'plain' | 'quoted' | 'closing';

/** A line feed between quotes ends no record (RFC 4180); a quote in the middle of a field without quotes is a character. */
export function csvEnds(delimiter: string): EndFinder {
  const separator = delimiter.charCodeAt(0);
  let state: State = 'start';
  return {
    nextEnd(chunk, from) {
      for (let at = from; at < chunk.length; at += 1) {
        const byte = chunk[at];
        if (state === 'quoted') {
          // Only a quote says anything here: find it quickly.
          const next = byte === quote ? at : chunk.indexOf(quote, at);
          if (next === -1) return -1;
          at = next;
          state = 'closing';
        } else if (byte === quote && state !== 'plain') state = 'quoted';
        else if (byte === lineFeed) return at;
        else state = byte === separator ? 'start' : 'plain';
      }
      return -1;
    },
    reset() {
      state = 'start';
    },
  };
}

/** The fields of a record, or why they cannot be told apart. */
export function fieldsOf(record: string, delimiter: string): readonly string[] | { readonly problem: string } {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (record[at] === '"') {
      const field = quotedField(record, at);
      if (field === undefined) return { problem: 'malformed: a quote that is opened is never closed' };
      if (field.end < record.length && record[field.end] !== delimiter) {
        return { problem: `malformed: something follows the closing quote of column ${fields.length + 1}` };
      }
      fields.push(field.text);
      at = field.end;
    } else {
      const end = record.indexOf(delimiter, at);
      fields.push(record.slice(at, end === -1 ? undefined : end));
      at = end === -1 ? record.length : end;
    }
    if (at >= record.length) return fields;
    at += 1;
    // A record that ends with a delimiter has an empty field behind it.
    if (at === record.length) return [...fields, ''];
  }
}

/** The field whose opening quote is at `start`, and the index behind its closing quote. */
function quotedField(record: string, start: number): { text: string; end: number } | undefined {
  let text = '';
  for (let at = start + 1; ; ) {
    const next = record.indexOf('"', at);
    if (next === -1) return undefined;
    text += record.slice(at, next);
    if (record[next + 1] !== '"') return { text, end: next + 1 };
    text += '"';
    at = next + 2;
  }
}

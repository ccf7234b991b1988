import path from 'node:path';
import { Refusal } from '../refusal.ts';
import { Csv } from './csv.ts';
import { jsonLines } from './json-lines.ts';
import { plainLines } from './plain-lines.ts';
import type { RecordReader } from './record-reader.ts';

export const inputFormats = ['lines', 'jsonl', 'csv', 'tsv'] as const;
export type InputFormat = (typeof inputFormats)[number];

interface ReaderOptions {
  readonly delimiter: string | undefined;
  readonly header: boolean;
  /** Columns that a CSV must have. */
  readonly wanted: readonly string[];
}

const byEnding: Readonly<Record<string, InputFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'jsonl',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.tab': 'tsv',
};

/** The format that the name of a file says; whatever it does not say is plain lines. */
export function inputFormatOf(file: string): InputFormat {
  return byEnding[path.extname(file).toLowerCase()] ?? 'lines';
}

/** @throws Refusal for a delimiter that is none. */
export function openReader(format: InputFormat, { delimiter, header, wanted }: ReaderOptions): RecordReader {
  switch (format) {
    case 'lines':
      return plainLines();
    case 'jsonl':
      return jsonLines();
    case 'csv':
    case 'tsv': {
      const separator = delimiter ?? (format === 'tsv' ? '\t' : ',');
      if (!/^[\x20-\x7e\t]$/.test(separator) || separator === '"') {
        throw new Refusal(`--delimiter is ${JSON.stringify(separator)}; expected one ASCII character, such as ';'.`);
      }
      return new Csv({ delimiter: separator, header, wanted });
    }
  }
}

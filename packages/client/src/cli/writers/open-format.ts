import path from 'node:path';
import { JsonLinesFormat } from './json-lines.ts';
import { NpyFormat } from './npy.ts';
import { RawFormat } from './raw.ts';
import type { FormatState, RowFormat } from './row-format.ts';

export const outputFormats = ['jsonl', 'npy', 'raw'] as const;
export type OutputFormat = (typeof outputFormats)[number];

const byEnding: Readonly<Record<string, OutputFormat>> = {
  '.npy': 'npy',
  '.f32': 'raw',
  '.raw': 'raw',
  '.bin': 'raw',
};

/** The format that the name of a file says; whatever it does not say is JSONL. */
export function outputFormatOf(file: string): OutputFormat {
  return byEnding[path.extname(file).toLowerCase()] ?? 'jsonl';
}

/** Nothing is written yet. */
export const emptyState: FormatState = { rows: 0, dimensions: undefined };

export function openFormat(format: OutputFormat, state: FormatState): RowFormat {
  switch (format) {
    case 'jsonl':
      return new JsonLinesFormat(state);
    case 'npy':
      return new NpyFormat(state);
    case 'raw':
      return new RawFormat(state);
  }
}

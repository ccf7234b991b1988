import { isUtf8 } from 'node:buffer';
import { mostRecordBytes, type RawRecord } from './record-reader.ts';

/** The characters of a record, or why it has none. */
export function textOf({ bytes }: RawRecord): { readonly text: string } | { readonly problem: string } {
  if (bytes === undefined)
    return { problem: `longer than ${mostRecordBytes / 2 ** 20} MiB: cut it into smaller texts` };
  if (!isUtf8(bytes)) return { problem: 'not UTF-8: convert the file, e.g. with iconv -t UTF-8' };
  return { text: bytes.toString('utf8') };
}

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { MillraceError } from '@millrace/shared/errors';

/** The file in a model's folder that pins its files, as `sha256sum` writes it and `sha256sum -c` checks it. */
export const pinFile = 'SHA256SUMS';

/** The pinned files of a model, by path, with the SHA-256 of each in hex. */
export type Pins = ReadonlyMap<string, string>;

/** `<hash> <space or *><path>`, as sha256sum writes it for text and for binary files. */
const line = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/;

/** Reads the pins of a folder; undefined when it has none. @throws MillraceError MODEL_DAMAGED when they cannot be read. */
export async function readPins(model: string, folder: string): Promise<Pins | undefined> {
  const text = await readFile(path.join(folder, pinFile), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n').filter((entry) => entry.trim() !== '');
  return new Map(
    lines.map((entry): [string, string] => {
      const [, hash = '', file = ''] = line.exec(entry) ?? [];
      if (file !== '') return [file, hash];
      throw new MillraceError(
        'MODEL_DAMAGED',
        `Model ${model}: ${pinFile} has the line ${JSON.stringify(entry)}, which is not a hash and a path.`,
      );
    }),
  );
}

/** Every pinned file must be there, used or not. @throws MillraceError MODEL_DAMAGED with the one that is missing. */
export function checkPresence(model: string, pins: Pins, paths: readonly string[]): void {
  const missing = [...pins.keys()].find((file) => !paths.includes(file));
  if (missing !== undefined) throw damaged(model, `${missing} is pinned and not there`);
}

/** A file that is used must be the one that was pinned. @throws MillraceError MODEL_DAMAGED with the file and both hashes. */
export function checkPin(model: string, pins: Pins, { file, sha256 }: { file: string; sha256: string }): void {
  const pinned = pins.get(file);
  if (pinned === undefined) throw damaged(model, `${file} is not pinned by ${pinFile}`);
  if (pinned !== sha256)
    throw damaged(model, `${file} is not the file that was pinned: its SHA-256 is ${sha256}, not ${pinned}`);
}

function damaged(model: string, reason: string): MillraceError {
  return new MillraceError('MODEL_DAMAGED', `Model ${model}: ${reason}.`);
}

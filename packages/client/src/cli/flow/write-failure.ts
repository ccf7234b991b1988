import { exitCodes } from '../exit-codes.ts';
import { Refusal } from '../refusal.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'the quota of this user is used up: make room',
  EFBIG: 'the file may not grow any further: raise the limit (ulimit -f)',
  EPIPE: 'whoever read it has closed it',
  EIO: 'the disk reports an error',
};

/** Why something could not be written, as a run that breaks off says it. */
export function writeFailure(what: string, error: unknown): Refusal {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new Refusal(`${what} cannot be written, ${reasons[code] ?? `${message}`}.`, exitCodes.brokenOff, error);
}

/** The same before anything was done. */
export function openFailure(what: string, error: unknown): Refusal {
  const { code = '' } = error as NodeJS.ErrnoException;
  const openReasons: Readonly<Record<string, string>> = {
    ENOENT: 'its folder is not there: make it first',
    ENOTDIR: 'its folder is a file: choose another path',
    EISDIR: 'it is a folder: name a file',
    EACCES: 'this user may not write there: choose another path',
    EROFS: 'the disk is read-only: choose another path',
  };
  const reason = openReasons[code];
  return reason === undefined
    ? writeFailure(what, error)
    : new Refusal(`${what} cannot be written, ${reason}.`, exitCodes.usage, error);
}

import type { Detector } from './detector.ts';
import { isWordCharacter, standsAlone } from './edges.ts';

/** Six or eight pairs with colons or hyphens, or three groups of four with full stops. */
const addresses =
  /[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?:(?:\1[0-9A-Fa-f]{2}){2})?|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}/g;

/** Hardware addresses: EUI-48 and EUI-64 (IEEE), as Unix, Windows and network devices write them. */
export const macDetector: Detector = {
  kind: 'mac',
  find: (text) =>
    [...text.matchAll(addresses)]
      .map(({ index, 0: address }) => ({ start: index, end: index + address.length }))
      .filter(({ start, end }) => {
        const address = text.slice(start, end);
        // Without a letter and without colons it is rather a time, a part number or an amount.
        if (!address.includes(':') && !/[A-Fa-f]/.test(address)) return false;
        const mark = address.includes(':') ? ':' : address.includes('-') ? '-' : '.';
        const goesOn = text[end] === mark && isWordCharacter(text[end + 1]);
        const comesFrom = text[start - 1] === mark && isWordCharacter(text[start - 2]);
        return standsAlone(text, { start, end }) && !goesOn && !comesFrom;
      }),
};

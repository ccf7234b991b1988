import type { Detector } from './detector.ts';
import { isPartOfDecimal, standsAlone, textBefore } from './edges.ts';

const numbers = /([0-9]{3})([ \-.]?)([0-9]{2})\2([0-9]{4})/g;
/** How far before a number its name may stand, in characters. */
const reach = 40;
const names = /\b(?:ssns?|social[ -]security|soc\.? ?sec|itins?|tax(?:payer)?[ -]id)\b/i;

/**
 * Social security numbers of the USA, and the taxpayer numbers (ITIN) that look like them. Only those that can be issued:
 * https://www.ssa.gov/employer/randomization.html and IRS publication 1915.
 */
export const ssnDetector: Detector = {
  kind: 'ssn',
  find: (text) =>
    [...text.matchAll(numbers)]
      .filter(([, area = '', , group = '', serial = '']) => canBeIssued(area, group, serial))
      .filter(({ index, 0: number, 2: separator }) => {
        const span = { start: index, end: index + number.length };
        if (!standsAlone(text, span) || isPartOfDecimal(text, span)) return false;
        if (text[span.start - 1] === '-' || text[span.end] === '-') return false;
        return separator === '-' || names.test(textBefore(text, index, reach));
      })
      .map(({ index, 0: number }) => ({ start: index, end: index + number.length })),
};

function canBeIssued(area: string, group: string, serial: string): boolean {
  if (serial === '0000') return false;
  if (area.startsWith('9')) return isTaxpayerGroup(Number(group));
  return area !== '000' && area !== '666' && group !== '00';
}

/** The middle groups that taxpayer numbers have. */
function isTaxpayerGroup(group: number): boolean {
  return (group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group <= 92) || group >= 94;
}

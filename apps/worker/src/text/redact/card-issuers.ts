/** First digits of an issuer's cards, from `first` to `last` (of as many digits), and how many digits they have in all. */
interface Range {
  readonly first: number;
  readonly last: number;
  readonly lengths: readonly number[];
}

const to19 = [16, 17, 18, 19];

/**
 * Issuer identification numbers by ISO/IEC 7812 as the networks publish them; the more special before the more general.
 * Not here: store cards and networks that have ended.
 */
const issuers: readonly Range[] = [
  { first: 34, last: 34, lengths: [15] }, // American Express
  { first: 37, last: 37, lengths: [15] },
  { first: 300, last: 305, lengths: [14, 16, 17, 18, 19] }, // Diners Club
  { first: 3095, last: 3095, lengths: [14, 16, 17, 18, 19] },
  { first: 36, last: 36, lengths: [14, 15, 16, 17, 18, 19] },
  { first: 38, last: 39, lengths: [14, 16, 17, 18, 19] },
  { first: 3528, last: 3589, lengths: to19 }, // JCB
  { first: 4, last: 4, lengths: [13, 16, 19] }, // Visa
  { first: 51, last: 55, lengths: [16] }, // Mastercard
  { first: 2221, last: 2720, lengths: [16] },
  { first: 2200, last: 2204, lengths: to19 }, // Mir
  { first: 2205, last: 2205, lengths: [16] }, // Borica
  { first: 6011, last: 6011, lengths: to19 }, // Discover
  { first: 644, last: 649, lengths: to19 },
  { first: 65, last: 65, lengths: to19 },
  { first: 60, last: 60, lengths: [16] }, // RuPay and Hipercard
  { first: 81, last: 82, lengths: to19 }, // RuPay and UnionPay
  { first: 508, last: 508, lengths: [16] },
  { first: 62, last: 62, lengths: to19 }, // UnionPay
  { first: 636, last: 639, lengths: to19 }, // InterPayment, InstaPayment
  { first: 5018, last: 5020, lengths: [12, 13, 14, 15, 16, 17, 18, 19] }, // Maestro and Dankort
  { first: 5038, last: 5038, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { first: 5893, last: 5893, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { first: 6304, last: 6304, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { first: 6759, last: 6763, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { first: 506099, last: 506198, lengths: [16, 18, 19] }, // Verve
  { first: 5067, last: 5067, lengths: [16] }, // Elo
  { first: 9792, last: 9792, lengths: [16] }, // Troy
];

/** Whether cards that begin like that have that many digits. */
export function isIssued(digits: string): boolean {
  return issuers.some(({ first, last, lengths }) => {
    const prefix = Number(digits.slice(0, String(first).length));
    return prefix >= first && prefix <= last && lengths.includes(digits.length);
  });
}

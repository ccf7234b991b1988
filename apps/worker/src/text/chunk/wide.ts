/** How a punctuation mark of East Asian texts stands to its neighbours: no chunk begins with one that closes, or ends with one that opens. */
export type WideMark = 'opens' | 'closes' | 'pauses' | 'stops';

/**
 * The marks that texts are cut at. Each is a token of its own for BERT's tokenizers, and means nothing to the letters beside it;
 * that is not so of the full-width colon and full stop, which Unicode counts as parts of words.
 */
const marks = new Map<number, WideMark>(
  (
    [
      ['opens', '「『（【《〈〔［｛｢“'],
      ['closes', '」』）】》〉〕］｝｣”'],
      ['pauses', '、，；､'],
      ['stops', '。！？｡'],
    ] as const
  ).flatMap(([kind, characters]) =>
    [...characters].map((character): [number, WideMark] => [character.charCodeAt(0), kind]),
  ),
);

/** Quotation marks that Western texts have too are looked at only beside an ideograph or another wide mark. */
const firstWide = 0x3001;

export function wideMark(code: number): WideMark | undefined {
  return code >= 0x2018 ? marks.get(code) : undefined;
}

export function isWide(code: number): boolean {
  return code >= firstWide && (isIdeograph(code) || marks.has(code));
}

/** Those that BERT's tokenizers take one by one; the rare ones beyond the basic plane they do not. */
export function isIdeograph(code: number): boolean {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) || (code >= 0xf900 && code <= 0xfaff);
}

/**
 * About how many tokens a WordPiece tokenizer makes of a text: the batcher puts like lengths together by this number, and
 * the lane, which has the tokenizer, cuts by the exact one. Pure arithmetic over the characters, some 100 MB/s, because it
 * runs on the main thread of a worker. English prose: within about 10 % (see the test).
 */
export function estimateTokens(text: string, limit: number): number {
  // A token is at least one character, so nothing beyond a multiple of the limit can matter; this bounds the scan.
  const end = Math.min(text.length, limit * 16);
  let tokens = 2; // [CLS] and [SEP]
  let word = 0;
  for (let index = 0; index < end && tokens < limit; index += 1) {
    const code = text.charCodeAt(index);
    if (isLetterOrDigit(code)) {
      word += 1;
      continue;
    }
    tokens += wordTokens(word);
    word = 0;
    if (code > 0x20 && code !== 0xa0) tokens += 1; // punctuation and CJK: a token each
  }
  return Math.min(limit, tokens + wordTokens(word));
}

/** Short words are one token; longer ones break into pieces of about five characters. */
function wordTokens(length: number): number {
  if (length === 0) return 0;
  if (length <= 7) return 1;
  return 1 + (length - 6) / 6;
}

function isLetterOrDigit(code: number): boolean {
  if (code < 0x80) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
  return code >= 0xc0 && code < 0x2000;
}

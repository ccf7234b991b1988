import { adjectives, firstNames, lastNames, nouns, prepositions, verbs } from '../bench/words.mjs';

/** What tells one text from all others: so many there are before they come again. */
const distinct = firstNames.length * lastNames.length * verbs.length * nouns.length;
/** Prime, so that neighbours in number are no neighbours in words. */
const stride = 1_000_003;

/**
 * A sentence of about ten tokens. No two below 4 million are alike: nothing that remembers texts can help.
 *
 * @param {number} number
 */
export function shortText(number) {
  let rest = ((number % distinct) * stride) % distinct;
  const take = (/** @type {string[]} */ words) => {
    const word = words[rest % words.length];
    rest = Math.floor(rest / words.length);
    return word;
  };
  const [first, last, verb, noun] = [take(firstNames), take(lastNames), take(verbs), take(nouns)];
  const other = (/** @type {string[]} */ words) => words[number % words.length];
  return `${first} ${last} ${verb} the ${other(adjectives)} ${noun} ${other(prepositions)} the ${other(nouns)}.`;
}

/**
 * The same as a browser would send it, to be cleaned.
 *
 * @param {number} number
 */
export function shortHtml(number) {
  return `<p class="n${number % 7}">${shortText(number).replace(' the ', ' <b>the</b>&nbsp;')}</p><!-- ${number} -->`;
}

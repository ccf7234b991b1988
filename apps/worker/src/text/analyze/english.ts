import type { ItsFunction, WinkMethods } from 'wink-nlp';

/** A word or mark of an English sentence, and where it stands. */
export interface EnglishToken {
  readonly start: number;
  readonly end: number;
  /** Universal part of speech, such as NOUN. */
  readonly pos: string;
  readonly lemma: string;
}

export interface EnglishSentence {
  readonly tokens: readonly EnglishToken[];
  readonly entities: readonly EnglishEntity[];
  /** From -1 to 1. */
  readonly sentiment: number;
}

export interface EnglishEntity {
  /** As wink names it, such as DATE. */
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads English sentences with wink-nlp and its lite model. wink keeps every new word for ever, and its shapes of words have 14 bits:
 * from time to time a new instance begins with the words of the model alone.
 */
export class EnglishReader {
  private readonly create: () => WinkMethods;
  private nlp: WinkMethods;
  private knownWords: number;
  private unitsRead = 0;
  private probes = 0;

  constructor(create: () => WinkMethods) {
    this.create = create;
    this.nlp = create();
    this.knownWords = this.countWords();
  }

  /** Offsets are those in the sentence. Entities that are neither date, time, amount nor number are not looked for. */
  read(sentence: string): EnglishSentence {
    this.forget(sentence.length);
    const text = withoutTraps(sentence);
    const { its } = this.nlp;
    const document = this.nlp.readDoc(text);
    const values = document.tokens().out();
    const tags = document.tokens().out(its.pos);
    // Its declared type lacks the third argument that wink passes.
    const lemmas = document.tokens().out(its.lemma as unknown as ItsFunction<string>);
    let cursor = 0;
    const tokens = values.map((value, index): EnglishToken => {
      const found = text.indexOf(value, cursor);
      const start = found === -1 ? cursor : found;
      const end = found === -1 ? cursor : found + value.length;
      cursor = end;
      return { start, end, pos: tags[index] ?? '', lemma: lemmas[index] ?? value };
    });
    const types = document.entities().out(its.type);
    const spans = document.entities().out(its.span) as unknown as [number, number][];
    const entities = spans.map(([first, last], index) => ({
      type: types[index] ?? '',
      start: tokens[first]?.start ?? 0,
      end: tokens[last]?.end ?? 0,
    }));
    const sentiment = document.out(its.sentiment) as unknown as number;
    return { tokens, entities, sentiment: Number.isFinite(sentiment) ? sentiment : 0 };
  }

  /** Begins anew when too many words have come together. */
  private forget(units: number): void {
    this.unitsRead += units;
    if (this.unitsRead < unitsBetweenProbes) return;
    this.unitsRead = 0;
    if (this.countWords() - this.knownWords < mostNewWords) return;
    this.nlp = this.create();
    this.knownWords = this.countWords();
  }

  /** How many words wink holds: the number that it gives to a new one. */
  private countWords(): number {
    this.probes += 1;
    const probe = this.nlp.readDoc(`xprobe${this.probes}x`);
    return Number(probe.tokens().out(this.nlp.its.uniqueId)[0]);
  }
}

/** Every token may be new twice, as it is and in lower case, and has a unit at least: far fewer than there is room for. */
const unitsBetweenProbes = 2048;
const mostNewWords = 10_000;

/** wink's own white space; what is between is one run to its patterns. */
const winkSpace = /[ \u00a0\u2002-\u2005\u2009\u200a\u202f\u205f\n\r\t]/;
/** Longer runs are no English word; wink's patterns take time that grows with the square of them. UTF-16 units. */
const longestRun = 128;
const foreignLetters = /[^\P{L}\p{Script=Latin}]/u;

/**
 * A sentence as long as it was, with spaces in place of what wink's patterns take for ever with (its pattern of a URL takes twice the
 * time for every few units of `//no.no.no.`, and a second at 64), and of words in other scripts, which it only collects.
 */
function withoutTraps(sentence: string): string {
  const text = sentence.replaceAll(/[\n\r\t]/g, ' ');
  if (text.length <= longestRun && !text.includes('//') && !foreignLetters.test(text)) return text;
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index <= text.length; index += 1) {
    if (index < text.length && !winkSpace.test(text.charAt(index))) continue;
    const run = text.slice(start, index);
    parts.push(isTrap(run) ? ' '.repeat(run.length) : run, text.charAt(index));
    start = index + 1;
  }
  return parts.join('');
}

function isTrap(run: string): boolean {
  return run.length > longestRun || run.includes('//') || foreignLetters.test(run);
}

let loading: Promise<EnglishReader> | undefined;

/** The library and its model take 50 MB and 0.2 s: they are loaded with the first English text. */
export function loadEnglish(): Promise<EnglishReader> {
  loading ??= Promise.all([import('wink-nlp'), import('wink-eng-lite-web-model')]).then(
    ([{ default: winkNlp }, { default: model }]) => {
      // The model writes this part of itself as JSON anew for every instance, out of what it wrote before: it would double each time.
      const customEntities = (model.metaCER as () => unknown)();
      const once = { ...model, metaCER: () => customEntities };
      return new EnglishReader(() => winkNlp(once, ['ner', 'negation', 'sentiment', 'pos']));
    },
  );
  return loading;
}

import type { TokenCounter } from '../../models/tokenizers.ts';
import { Atoms } from './atoms.ts';
import { isSpace, levelOfSpace, levels } from './borders.ts';
import { graphemeEnds, isCut } from './graphemes.ts';
import { wordParts } from './long-words.ts';
import { isIdeograph, isWide, wideMark } from './wide.ts';

/** Words of more UTF-16 units are taken apart: WordPiece reads none of more than 100 characters. */
const longestWord = 100;
/** Marks are put to an atom as long as it is no longer. */
const longestWithMarks = 16;
/** White space before a word that is counted with it, where it may make a difference. */
const countedSpace = 4;

/** Takes a text apart into atoms of `budget` tokens at most, unless a grapheme alone has more. Linear in the length of the text. */
export function scanAtoms(text: string, counter: TokenCounter, budget: number): Atoms {
  return new Scanner(text, counter, budget).scan();
}

class Scanner {
  private readonly text: string;
  private readonly counter: TokenCounter;
  private readonly budget: number;
  private readonly atoms = new Atoms();
  /** Where the word begins that is being read; -1 between words. */
  private word = -1;
  /** Of the border before the next atom. */
  private level: number = levels.gap;
  /** Where the white space before the next atom begins. */
  private space = 0;
  /** The last atom opens a bracket, and what follows belongs to it. */
  private isOpen = false;

  constructor(text: string, counter: TokenCounter, budget: number) {
    this.text = text;
    this.counter = counter;
    this.budget = budget;
  }

  scan(): Atoms {
    const { text } = this;
    for (let at = 0; at < text.length; ) {
      const code = text.charCodeAt(at);
      if (isSpace(code)) at = this.readSpace(at);
      else if (code >= 0x2018 && this.isWideHere(code, at)) at = this.readWide(code, at);
      else {
        if (this.word < 0) this.word = at;
        at += 1;
      }
    }
    this.endWord(text.length);
    return this.atoms;
  }

  /** Gives where to go on. */
  private readSpace(at: number): number {
    const { text } = this;
    // A sign that takes in what follows (of an Arabic number, for one) keeps the space.
    if (this.word >= 0 && !isCut(text, at)) return at + 1;
    this.endWord(at);
    let end = at + 1;
    while (end < text.length && isSpace(text.charCodeAt(end))) end += 1;
    this.space = at;
    this.isOpen = false;
    // Before the first atom there is no border.
    if (this.atoms.length > 0) this.level = levelOfSpace(text, at, end);
    if (end === text.length || isCut(text, end)) return end;
    // The last of it carries an accent: it is the first character of a word.
    this.word = end - 1;
    return end;
  }

  private isWideHere(code: number, at: number): boolean {
    const isBesideWide = this.word < 0 && this.atoms.end === at;
    if (!isWide(code) && !(isBesideWide && wideMark(code) !== undefined)) return false;
    const { text } = this;
    return (at + 1 >= text.length || isCut(text, at + 1)) && (this.word < 0 || isCut(text, at));
  }

  /** An ideograph, or a mark, which belongs to the atom before or behind it. */
  private readWide(code: number, at: number): number {
    this.endWord(at);
    const end = at + 1;
    const mark = wideMark(code);
    const tokens = this.counter.countWord(this.text.slice(at, end));
    const isClosing = mark !== undefined && mark !== 'opens';
    if (isClosing && tokens > 0 && this.mayExtend(at)) this.atoms.extend(end, tokens);
    else this.push(at, end, tokens);
    if (mark === 'stops') this.level = levels.sentence;
    else if (mark === 'pauses') this.level = levels.word;
    else if (mark !== 'closes') this.level = levels.ideograph;
    this.isOpen = mark === 'opens';
    return end;
  }

  /** Whether the last atom ends here and is short. */
  private mayExtend(at: number): boolean {
    const { atoms } = this;
    return atoms.end === at && at - (atoms.starts[atoms.length - 1] ?? at) < longestWithMarks;
  }

  private endWord(end: number): void {
    const start = this.word;
    if (start < 0) return;
    this.word = -1;
    const isLong = end - start > longestWord;
    const from = this.counter.addsUp ? start : Math.max(this.space, start - countedSpace);
    const tokens = isLong ? 0 : this.counter.countWord(this.text.slice(from, end));
    if (isLong || tokens > this.budget) this.takeApart(start, end);
    else this.push(start, end, tokens);
    this.space = end;
    this.level = isIdeograph(this.text.charCodeAt(end)) ? levels.ideograph : levels.grapheme;
  }

  private takeApart(wordStart: number, wordEnd: number): void {
    let start = wordStart;
    for (const { end, level } of wordParts(this.text, wordStart, wordEnd)) {
      this.pushPart(start, end, start > wordStart);
      this.level = level;
      start = end;
    }
  }

  /** A part with too many tokens becomes its graphemes. */
  private pushPart(from: number, to: number, isInside: boolean): void {
    const tokens = this.counter.countWord(this.text.slice(from, to));
    if (tokens <= this.budget) {
      this.push(from, to, tokens, isInside);
      return;
    }
    let start = from;
    for (const end of graphemeEnds(this.text, from, to)) {
      this.push(start, end, this.counter.countWord(this.text.slice(start, end)), isInside || start > from);
      this.level = levels.grapheme;
      start = end;
    }
  }

  /** `isInside`: a word goes on across the border before it, so that tokens may not add up. */
  private push(start: number, end: number, tokens: number, isInside = false): void {
    if (this.isOpen && !isInside && tokens > 0 && this.mayExtend(start)) this.atoms.extend(end, tokens);
    else {
      this.atoms.push(start, end, tokens);
      this.atoms.border(this.level, isInside);
    }
    this.isOpen = false;
  }
}

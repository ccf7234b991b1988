import type { Atoms } from './atoms.ts';
import { levels } from './borders.ts';
import { wordEnds } from './graphemes.ts';

interface PackingParams {
  readonly text: string;
  readonly atoms: Atoms;
  /** Tokens of a pack at most. */
  readonly budget: number;
}

/** Neighbours are first put together up to half of the budget, at last as far as it goes: hardly any small pack is left over. */
const shares = [0.5, 0.75, 1];
/** UTF-16 units on each side of a border that decide about its turn. */
const contextUnits = 64;

/**
 * Puts atoms together into packs, each of at most `budget` tokens (an atom that has more stays alone). Gives the first atom of each.
 *
 * Not from the front to the end: across the weakest borders first, and of borders of one level in an order that depends on the text
 * around each (a hash of it). What is a pack is decided by what is in it and around it, never by how far it is from the front, so an
 * edit changes the packs around it and no others. No two neighbours would fit into one pack; on average packs are 0.7 full.
 */
export function packAtoms(params: PackingParams): number[] {
  return new Packer(params).packAll();
}

class Packer {
  private readonly text: string;
  private readonly atoms: Atoms;
  private readonly budget: number;

  constructor({ text, atoms, budget }: PackingParams) {
    this.text = text;
    this.atoms = atoms;
    this.budget = budget;
  }

  packAll(): number[] {
    return this.packEach(0, this.atoms.length, levels.gap);
  }

  /** Packs of the atoms from one to before another, between which all borders are weaker than `level` + 1. */
  private pack(from: number, to: number, level: number): number[] {
    if (to - from === 1 || this.atoms.tokens(from, to) <= this.budget) return [from];
    if (level === levels.part) this.findWordEnds(from, to);
    return this.merge(this.packEach(from, to, level), to, level);
  }

  /** Packs of what the borders of a level part, one after the other. */
  private packEach(from: number, to: number, level: number): number[] {
    const packs: number[] = [];
    let start = from;
    for (let at = from + 1; at <= to; at += 1) {
      if (at < to && (this.atoms.levels[at] ?? 0) < level) continue;
      for (const pack of this.pack(start, at, level - 1)) packs.push(pack);
      start = at;
    }
    return packs;
  }

  /** Puts packs together across the borders of a level, as far as they fit. */
  private merge(packs: readonly number[], to: number, level: number): number[] {
    const { atoms, budget } = this;
    const tokens = Int32Array.from(packs, (start, index) => atoms.tokens(start, packs[index + 1] ?? to));
    // Of what has become one: at its last the first, at its first the last.
    const firsts = Int32Array.from(packs, (_, index) => index);
    const lasts = firsts.slice();
    const isMerged = new Uint8Array(packs.length);
    const borders = this.inTurn(packs, tokens, level);
    for (const share of shares) {
      for (const border of borders) {
        const first = firsts[border - 1] ?? 0;
        const sum = (tokens[first] ?? 0) + (tokens[border] ?? 0);
        if (isMerged[border] === 1 || sum > budget * share) continue;
        const last = lasts[border] ?? border;
        isMerged[border] = 1;
        tokens[first] = sum;
        lasts[first] = last;
        firsts[last] = first;
      }
    }
    return packs.filter((_, index) => isMerged[index] === 0);
  }

  /** The borders of a level that two packs could be put together at, in their turn. */
  private inTurn(packs: readonly number[], tokens: Int32Array, level: number): Int32Array {
    const { atoms, budget, text } = this;
    const borders = new Int32Array(packs.length);
    const turns = new Uint32Array(packs.length);
    let count = 0;
    for (let index = 1; index < packs.length; index += 1) {
      const atom = packs[index] ?? 0;
      if (atoms.levels[atom] !== level || (tokens[index - 1] ?? 0) + (tokens[index] ?? 0) > budget) continue;
      borders[count] = index;
      count += 1;
      turns[index] = contextHash(text, atoms.starts[atom] ?? 0);
    }
    return borders.subarray(0, count).sort((one, other) => (turns[one] ?? 0) - (turns[other] ?? 0) || one - other);
  }

  /** Asks where words end among ideographs, only here where it matters: it takes longer than all else. */
  private findWordEnds(from: number, to: number): void {
    const { starts, ends, levels: found } = this.atoms;
    let atom = from + 1;
    while (atom < to && found[atom] !== levels.ideograph) atom += 1;
    if (atom === to) return;
    for (const end of wordEnds(this.text, starts[from] ?? 0, ends[to - 1] ?? 0)) {
      while (atom < to && (starts[atom] ?? 0) < end) atom += 1;
      if (atom < to && starts[atom] === end && found[atom] === levels.ideograph) found[atom] = levels.part;
    }
  }
}

/** FNV-1a over the UTF-16 units around a border, its bits mixed as MurmurHash3 does. */
function contextHash(text: string, at: number): number {
  const end = Math.min(text.length, at + contextUnits);
  let hash = 0x811c9dc5;
  for (let unit = Math.max(0, at - contextUnits); unit < end; unit += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(unit), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

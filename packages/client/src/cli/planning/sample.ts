import type { InputSource } from '../flow/input-source.ts';
import type { Recipe } from '../flow/recipe.ts';
import type { RecordReader } from '../readers/record-reader.ts';

/** So many items are kept at most, and so many characters of them: memory stays bounded. */
const mostItems = 16_384;
const mostCharacters = 32 * 2 ** 20;

/** What a file has, and items of it that stand for all. */
export interface Sample<Item> {
  readonly records: number;
  /** Records that are items. */
  readonly items: number;
  /** Why others are not, by the first of each kind. */
  readonly faults: ReadonlyMap<string, { readonly count: number; readonly line: number }>;
  /** Of all items, in JSON. */
  readonly characters: number;
  /** At random from the whole file, every item as likely as any other. */
  readonly chosen: readonly Item[];
}

interface SampleParams<Item> {
  readonly source: InputSource;
  readonly reader: RecordReader;
  readonly recipe: Recipe<Item>;
  readonly stopped: AbortSignal;
  readonly random: () => number;
  readonly onProgress: (at: { readonly records: number; readonly bytes: number }) => void;
}

/** Reads a whole file once and draws a sample: reservoir sampling (Vitter 1985, algorithm R). */
export async function drawSample<Item>(params: SampleParams<Item>): Promise<Sample<Item>> {
  const { source, reader, recipe, stopped, random, onProgress } = params;
  const faults = new Map<string, { count: number; line: number }>();
  const chosen: Item[] = [];
  let [records, items, characters, capacity] = [0, 0, 0, mostItems];
  for await (const batch of reader.records(source.chunks(stopped))) {
    for (const raw of batch) {
      records += 1;
      const value = reader.read(raw);
      const read =
        'problem' in value ? { message: `The ${reader.unit} is ${value.problem}.` } : recipe.itemOf(value.value);
      if (!('item' in read)) {
        const known = faults.get(read.message);
        if (known !== undefined) known.count += 1;
        else if (faults.size < 100) faults.set(read.message, { count: 1, line: raw.line });
        continue;
      }
      items += 1;
      characters += sizeOf(read.item);
      capacity = Math.min(mostItems, Math.max(1, Math.floor(mostCharacters / (characters / items))));
      if (chosen.length < capacity) chosen.push(read.item);
      else {
        const place = Math.floor(random() * items);
        if (place < chosen.length) chosen[place] = read.item;
      }
    }
    const last = batch.at(-1);
    if (last !== undefined) onProgress({ records, bytes: last.end });
  }
  return { records, items, characters, faults, chosen: shuffled(chosen, random) };
}

function sizeOf(item: unknown): number {
  return typeof item === 'string' ? item.length : JSON.stringify(item).length;
}

/** Fisher and Yates'. */
function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const all = [...list];
  for (let at = all.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [all[at], all[other]] = [all[other] as T, all[at] as T];
  }
  return all;
}

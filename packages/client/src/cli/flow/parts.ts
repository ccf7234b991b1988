import { setTimeout as pause } from 'node:timers/promises';
import type { LineFault } from '../line-fault.ts';
import type { RawRecord, RecordReader } from '../readers/record-reader.ts';
import { Refusal } from '../refusal.ts';
import type { InputSource } from './input-source.ts';
import { PrefixHash } from './prefix-hash.ts';
import type { Recipe } from './recipe.ts';

/** Records of a part that are no items: so many bad ones in a row must not gather for ever. */
const mostRecords = 1024;
/** How long an item of a live input waits for company, in ms. */
const companyMs = 20;

/** A record on its way. */
export interface InputRecord<Item> {
  readonly index: number;
  readonly line: number;
  readonly id: unknown;
  readonly read: { readonly item: Item } | LineFault;
}

/** Records that follow each other and are settled together: the items of one task, and bad ones between them. */
export interface Part<Item> {
  readonly records: readonly InputRecord<Item>[];
  readonly items: readonly Item[];
  /** Bytes of the input up to its end, and their SHA-256. */
  readonly end: number;
  readonly digest: string;
}

/** How far an input was done before. */
export interface Begun {
  readonly records: number;
  readonly end: number;
  readonly digest: string;
}

interface PartsParams<Item> {
  readonly source: InputSource;
  readonly reader: RecordReader;
  readonly recipe: Recipe<Item>;
  /** What is passed over. */
  readonly begun: Begun | undefined;
  /** No more parts are wanted. */
  readonly stopped: AbortSignal;
}

/**
 * Cuts an input into parts.
 * @throws Refusal when what was done before is no longer the beginning of the input; and what reader and source throw.
 */
export async function* partsOf<Item>(params: PartsParams<Item>): AsyncGenerator<Part<Item>, void, undefined> {
  const { source, reader, stopped } = params;
  const hash = new PrefixHash();
  const builder = new PartBuilder(params, hash);
  const batches = reader.records(hashed(source.chunks(stopped), hash));
  try {
    for (let asked = ask(batches); ; ) {
      const isLate =
        source.isLive && !builder.isEmpty && (await Promise.race([asked, pause(companyMs, 'late')])) === 'late';
      if (isLate) yield builder.close();
      const { done, value } = await asked;
      if (stopped.aborted || done === true) break;
      for (const record of value) {
        const part = builder.add(record);
        if (part !== undefined) yield part;
      }
      asked = ask(batches);
    }
    if (stopped.aborted) return;
    builder.checkBegun();
    if (!builder.isEmpty) yield builder.close();
  } finally {
    // It may be waiting for input that never comes: nobody waits for that.
    void batches.return(undefined).catch(() => {});
  }
}

function ask<T>(iterator: AsyncGenerator<T, void, undefined>): Promise<IteratorResult<T, void>> {
  const asked = iterator.next();
  // What it throws is met when it is looked at.
  asked.catch(() => {});
  return asked;
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: PrefixHash): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    hash.push(chunk);
    yield chunk;
  }
}

/** Gathers records until they make a part. */
class PartBuilder<Item> {
  private readonly params: PartsParams<Item>;
  private readonly hash: PrefixHash;
  private records: InputRecord<Item>[] = [];
  private items: Item[] = [];
  private index = 0;
  private end = 0;
  private isChecked: boolean;

  constructor(params: PartsParams<Item>, hash: PrefixHash) {
    this.params = params;
    this.hash = hash;
    this.isChecked = params.begun === undefined;
  }

  get isEmpty(): boolean {
    return this.records.length === 0;
  }

  /** Takes a record; gives the part before it, if it does not fit in there. */
  add(raw: RawRecord): Part<Item> | undefined {
    const { begun, reader, recipe } = this.params;
    if (begun !== undefined && raw.end <= begun.end) {
      this.index += 1;
      // So that the pieces that were passed are let go.
      this.hash.advance(raw.end);
      return undefined;
    }
    this.checkBegun();
    const value = reader.read(raw);
    const read =
      'problem' in value
        ? { code: 'INVALID_INPUT', message: `The ${reader.unit} is ${value.problem}.` }
        : recipe.itemOf(value.value);
    const isFull =
      this.records.length === mostRecords ||
      ('item' in read && this.items.length > 0 && !recipe.fits(this.items, read.item, this.index));
    const part = isFull ? this.close() : undefined;
    this.records.push({ index: this.index, line: raw.line, id: 'item' in read ? read.id : undefined, read });
    if ('item' in read) this.items.push(read.item);
    this.index += 1;
    this.end = raw.end;
    return part;
  }

  close(): Part<Item> {
    this.hash.advance(this.end);
    const part = { records: this.records, items: this.items, end: this.end, digest: this.hash.digest() };
    this.records = [];
    this.items = [];
    return part;
  }

  /** Once, when what was done before has been passed. @throws Refusal when it was something else. */
  checkBegun(): void {
    const { begun, source } = this.params;
    if (this.isChecked || begun === undefined) return;
    this.isChecked = true;
    const at = this.hash.advance(begun.end);
    if (at === begun.end && this.index === begun.records && this.hash.digest() === begun.digest) return;
    throw new Refusal(
      `${source.name} has changed in what was done already (${begun.records} records): begin again with --restart instead of --resume.`,
    );
  }
}

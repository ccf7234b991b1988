/**
 * How values of a type are kept for items that come later: as bytes, each under what made it. Written with method signatures, as
 * task types are.
 */
export interface ValueKeeping<Item = unknown, Value = unknown> {
  /** What makes the value of an item, as far as the item says: the model and its options. Items of one source share a fingerprint. */
  source(item: Item): string;
  /** What made a value, to the bit: it is never taken for one of another fingerprint. */
  fingerprint(value: Value): string;
  /** The value as bytes, without what item and fingerprint say already. */
  pack(value: Value): Uint8Array;
  /** The value again, which may be a view of the bytes; undefined when they are of another layout. */
  unpack(bytes: Uint8Array, item: Item, fingerprint: string): Value | undefined;
}

import type { ModelFolder } from '../models/model-folder.ts';

/** Bytes that a session keeps for the numbers in between, once it has computed a pass of usual size. */
const arenaBytes = 32 * 2 ** 20;
/** A network beside its file: weights are copied, and some are laid out anew. */
const perWeightByte = 1.5;
/** What becomes of a tokenizer.json: strings in maps. */
const perRestByte = 20;

/**
 * About how much memory a model takes, in bytes. Measured with the bundled one (23.5 MB of weights, 0.47 MB beside them): 26 MB
 * loaded, 31 MB more once it has computed, 9.5 MB of tokenizer; five of them 70 MB each, where this says 77 MB.
 */
export function estimateMemory({ bytes }: ModelFolder): number {
  return Math.ceil(bytes.weights * perWeightByte + bytes.rest * perRestByte + arenaBytes);
}

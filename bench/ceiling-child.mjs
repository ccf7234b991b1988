// A process of the ceiling: token ids in, vectors out, nothing between it and the model.
import { AutoModel, Tensor } from '@huggingface/transformers';
import { modelName } from './model.mjs';

/** @typedef {{ call: number, rows: Int32Array[] }} Call token ids of texts */
/** @typedef {{ call: number, dimensions: number, vectors: Float32Array }} Answer one vector after the other */

const model = await AutoModel.from_pretrained(modelName, {
  dtype: 'q8',
  // One thread each: as many processes as cores beat one with many threads.
  session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
});
process.on('message', (/** @type {Call} */ { call, rows }) => void answer(call, rows));
process.on('disconnect', () => process.exit());
process.send?.('ready');

/**
 * @param {number} call
 * @param {Int32Array[]} rows
 */
async function answer(call, rows) {
  const width = Math.max(...rows.map((row) => row.length));
  const shape = [rows.length, width];
  const ids = new BigInt64Array(rows.length * width);
  const mask = new BigInt64Array(rows.length * width);
  rows.forEach((row, at) => {
    row.forEach((id, token) => {
      ids[at * width + token] = BigInt(id);
      mask[at * width + token] = 1n;
    });
  });
  const { last_hidden_state: states } = await model({
    input_ids: new Tensor('int64', ids, shape),
    attention_mask: new Tensor('int64', mask, shape),
    token_type_ids: new Tensor('int64', new BigInt64Array(ids.length), shape),
  });
  const dimensions = states.dims[2];
  const lengths = rows.map((row) => row.length);
  const vectors = meanOfTokens(states.data, { lengths, width, dimensions });
  process.send?.(/** @type {Answer} */ ({ call, dimensions, vectors }));
}

/**
 * @param {Float32Array} states
 * @param {{ lengths: number[], width: number, dimensions: number }} shape
 * @returns {Float32Array} the mean over each text's tokens, scaled to length 1
 */
function meanOfTokens(states, { lengths, width, dimensions }) {
  const vectors = new Float32Array(lengths.length * dimensions);
  lengths.forEach((length, row) => {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    const start = row * width * dimensions;
    for (let token = 0; token < length; token += 1) {
      const from = start + token * dimensions;
      // forEach would take six times as long, 4 % of the whole call.
      for (let at = 0; at < dimensions; at += 1) vector[at] = (vector[at] ?? 0) + (states[from + at] ?? 0);
    }
    const norm = Math.hypot(...vector);
    vectors.set(
      vector.map((value) => value / norm),
      row * dimensions,
    );
  });
  return vectors;
}

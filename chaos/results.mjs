/** @typedef {import('./workload.mjs').PlannedTask} PlannedTask */

/** An int8 model directly and in a lane differ by the order of sums at most. */
const leastCosine = 0.99999;
const answerWithinMs = 20_000;
const tries = 3;

/** Reads results as a user does, by GET /v1/tasks/{id}, and holds them against what is right. */
export class ResultChecker {
  #apiUrls;
  #vectors;
  /** The bytes of a text's vector as they came first: every later one must be the same to the last bit. */
  #seen = /** @type {Map<string, string>} */ (new Map());

  /** @param {{ apiUrls: readonly string[], vectors: Map<string, Float32Array> }} params */
  constructor({ apiUrls, vectors }) {
    this.#apiUrls = apiUrls;
    this.#vectors = vectors;
  }

  /**
   * @param {PlannedTask} task
   * @param {string} id
   * @returns {Promise<string | undefined>} what is wrong with the result
   */
  async problemOf(task, id) {
    const { status, body } = await this.#read(`/v1/tasks/${id}?encoding=base64`);
    if (status !== 200) return `GET answers ${status} ${body?.code}`;
    if (body.state !== 'succeeded') return `GET says ${body.state}`;
    if (body.result === undefined) return 'GET gives no result';
    return task.type === 'text.clean'
      ? problemOfTexts(body.result.texts, task.expected)
      : this.#problemOfVectors(body.result.embeddings, task.expected);
  }

  /**
   * @param {readonly string[] | undefined} rows base64 of float32
   * @param {readonly string[]} texts
   */
  #problemOfVectors(rows, texts) {
    if (rows?.length !== texts.length) return `${rows?.length} vectors, ${texts.length} expected`;
    for (const [index, text] of texts.entries()) {
      const row = rows[index] ?? '';
      const first = this.#seen.get(text);
      if (first === row) continue;
      if (first !== undefined) return `vector ${index} of ${JSON.stringify(text)} is not the same as in another task`;
      const likeness = cosine(floats(row), this.#vectors.get(text));
      if (!(likeness >= leastCosine))
        return `vector ${index} has cosine ${likeness} to that of ${JSON.stringify(text)}`;
      this.#seen.set(text, row);
    }
    return undefined;
  }

  /**
   * @param {string} path
   * @returns {Promise<{ status: number, body: any }>}
   */
  async #read(path) {
    for (let count = 1; ; count += 1) {
      try {
        const apiUrl = this.#apiUrls[count % this.#apiUrls.length];
        const response = await fetch(`${apiUrl}${path}`, { signal: AbortSignal.timeout(answerWithinMs) });
        if (response.status !== 503 || count === tries) return { status: response.status, body: await response.json() };
      } catch (error) {
        if (count === tries) return { status: 0, body: { code: String(error) } };
      }
    }
  }
}

/**
 * @param {readonly string[] | undefined} texts
 * @param {readonly string[]} expected
 */
function problemOfTexts(texts, expected) {
  if (JSON.stringify(texts) === JSON.stringify(expected)) return undefined;
  return `gave ${JSON.stringify(texts)}, expected ${JSON.stringify(expected)}`;
}

/** @param {string} base64 */
function floats(base64) {
  const bytes = Buffer.from(base64, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/**
 * @param {Float32Array} a
 * @param {Float32Array | undefined} b
 */
function cosine(a, b) {
  if (b === undefined || a.length !== b.length) return Number.NaN;
  let [dot, normA, normB] = [0, 0, 0];
  a.forEach((x, index) => {
    const y = b[index] ?? 0;
    dot += x * y;
    normA += x * x;
    normB += y * y;
  });
  return dot / Math.sqrt(normA * normB);
}

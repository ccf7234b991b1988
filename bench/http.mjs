const clients = 8;

/**
 * Millrace over HTTP: clients that each wait for their answer before they ask again, one text a request, vectors as JSON
 * numbers. No more than 8 texts are ever under way, so this measures the way, not the batcher.
 *
 * @param {string} apiUrl
 * @returns {import('./contender.mjs').Contender}
 */
export function openHttp(apiUrl) {
  return {
    key: 'http',
    label: `Millrace over HTTP, ${clients} clients, 1 text each`,
    mostTexts: 500,
    async run(texts) {
      /** @type {Float32Array[]} */
      const vectors = new Array(texts.length);
      const rest = texts.entries();
      const client = async () => {
        // All clients take from the same iterator, so each text is sent once.
        for (const [index, text] of rest) vectors[index] = await embed(apiUrl, text);
      };
      const begin = performance.now();
      await Promise.all(Array.from({ length: clients }, client));
      return { ms: performance.now() - begin, vectors };
    },
  };
}

/**
 * @param {string} apiUrl
 * @param {string} text
 */
async function embed(apiUrl, text) {
  const response = await fetch(`${apiUrl}/v1/tasks?wait=60`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'inference.embed', input: { texts: [text] } }),
  });
  const body = /** @type {any} */ (await response.json());
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${JSON.stringify(body).slice(0, 300)}`);
  return Float32Array.from(body.result.embeddings[0]);
}

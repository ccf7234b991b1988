/** How long a run may take, in ms; far more than any machine needs. */
const resultWithinMs = 600_000;

/**
 * Millrace through its client: `enqueueMany`, then every result read as `Float32Array[]`. The clock runs from the first
 * call of the client until the last result is read.
 *
 * @param {import('@millrace/client').Millrace} client
 * @param {number} textsPerTask
 * @returns {import('./contender.mjs').Contender}
 */
export function openMillrace(client, textsPerTask) {
  return {
    key: `millrace-${textsPerTask}`,
    label: `Millrace, ${textsPerTask} ${textsPerTask === 1 ? 'text' : 'texts'} per task`,
    mostTexts: Number.POSITIVE_INFINITY,
    async run(texts) {
      /** @type {{ texts: string[] }[]} */
      const inputs = [];
      for (let start = 0; start < texts.length; start += textsPerTask) {
        inputs.push({ texts: texts.slice(start, start + textsPerTask) });
      }
      const begin = performance.now();
      const tasks = await client.enqueueMany('inference.embed', inputs);
      const results = await Promise.all(tasks.map((task) => task.result({ timeoutMs: resultWithinMs })));
      const ms = performance.now() - begin;
      return { ms, vectors: results.flatMap(({ embeddings }) => embeddings) };
    },
  };
}

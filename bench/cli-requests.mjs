const everyMs = 400;

/**
 * Somebody who wants one text embedded now and then, and waits for it, as a person who searches does.
 *
 * @param {import('@millrace/client').Millrace} client
 * @returns {{ stop: () => Promise<number[]> }} how long each answer took, in ms
 */
export function askNowAndThen(client) {
  /** @type {Promise<number>[]} */
  const answers = [];
  const ask = async () => {
    const begin = performance.now();
    const text = `What did the water say to the wheel, number ${answers.length} of ${Math.random()}?`;
    const task = await client.enqueue('inference.embed', { texts: [text] }, { priority: 'high' });
    await task.result();
    return performance.now() - begin;
  };
  const timer = setInterval(() => answers.push(ask()), everyMs);
  return {
    async stop() {
      clearInterval(timer);
      return await Promise.all(answers);
    },
  };
}

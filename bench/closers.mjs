/** What the bench has opened: closed in reverse order, each within its deadline, whatever the others do. */
export class Closers {
  /** @type {(() => Promise<void> | void)[]} */
  #stack = [];

  /** @param {() => Promise<void> | void} close */
  add(close) {
    this.#stack.push(close);
  }

  async close() {
    for (let close = this.#stack.pop(); close !== undefined; close = this.#stack.pop()) await closeOne(close);
  }
}

const deadlineMs = 15_000;

/** @param {() => Promise<void> | void} close */
async function closeOne(close) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not closed within ${deadlineMs / 1000} s`)), deadlineMs);
  });
  try {
    await Promise.race([Promise.resolve().then(close), late]);
  } catch (error) {
    process.stderr.write(`a part did not close cleanly: ${/** @type {Error} */ (error).message}\n`);
  } finally {
    clearTimeout(timer);
  }
}

/** What a person can mend: its message is one whole sentence with the command that mends it, shown without a stack. */
export class Refusal extends Error {
  /** @param {string} sentence */
  constructor(sentence) {
    super(sentence);
    this.name = 'Refusal';
  }
}

/**
 * @param {unknown} error
 * @returns {string} what to print for it
 */
export function describeError(error) {
  if (error instanceof Refusal) return error.message;
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

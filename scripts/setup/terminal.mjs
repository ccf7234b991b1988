/**
 * What set-up tells a person. It goes to stderr, so that stdout holds only what was asked for (the bench's table, the
 * tests' last line).
 *
 * @typedef {object} Terminal
 * @property {(text: string) => void} step one line of progress, with the seconds since the command began
 * @property {(text: string) => void} say plain text, no time
 */

/**
 * @param {{ write(text: string): unknown }} [out]
 * @returns {Terminal}
 */
export function createTerminal(out = process.stderr) {
  return {
    step(text) {
      const seconds = (performance.now() / 1000).toFixed(1);
      out.write(`${seconds.padStart(6)} s  ${text}\n`);
    },
    say(text) {
      out.write(`${text}\n`);
    },
  };
}

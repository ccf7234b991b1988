// Read by Node of any age: keep to syntax that Node 12 parses (no ?., no ??, no top-level await), so that an old one
// meets the sentence below and not a SyntaxError.

const NEEDED_MAJOR = 20;
const NEEDED_MINOR = 19;

/**
 * @param {string} version as in process.versions.node
 * @returns {string} the sentence that says what to do, or '' when this Node will do
 */
export function nodeRefusal(version) {
  const parts = version.split('.');
  const major = Number(parts[0]);
  const minor = Number(parts[1]);
  if (major > NEEDED_MAJOR || (major === NEEDED_MAJOR && minor >= NEEDED_MINOR)) return '';
  const needed = `${NEEDED_MAJOR}.${NEEDED_MINOR}`;
  const remedy = 'change with `nvm install 22`, or without nvm run it as `npx -y -p node@22 npm start`';
  return `Millrace needs Node ${needed} or newer and this is Node ${version}; ${remedy}.`;
}

/**
 * Runs a command's `main`, whose module is loaded only once this Node is known to understand it.
 *
 * @param {() => Promise<{ main: () => Promise<void> }>} load
 */
export function runCommandLine(load) {
  const refusal = nodeRefusal(process.versions.node);
  if (refusal !== '') {
    process.stderr.write(`${refusal}\n`);
    process.exit(1);
  }
  load()
    .then((command) => command.main())
    .catch((error) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exitCode = 1;
    });
}

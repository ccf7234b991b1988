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
  return (
    'Millrace needs Node ' + NEEDED_MAJOR + '.' + NEEDED_MINOR + ' or newer and this is Node ' + version +
    '; change with `nvm install 22`, or without nvm run it as `npx -y -p node@22 npm start`.'
  );
}

/** Ends the process with one sentence when this Node is too old. */
export function refuseOldNode() {
  const refusal = nodeRefusal(process.versions.node);
  if (refusal === '') return;
  process.stderr.write(refusal + '\n');
  process.exit(1);
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildFingerprint } from './build-fingerprint.mjs';
import { lastLines, runCommand } from './command.mjs';
import { Refusal } from './refusal.mjs';

/** @typedef {import('./terminal.mjs').Terminal} Terminal */

const STAMP = join('node_modules', '.millrace-built');

/**
 * `turbo run build`, unless sources and outputs are as the last build left them (turbo alone takes a second to say so).
 *
 * @param {{ root: string, terminal: Terminal, env: import('./root.mjs').Env, signal?: AbortSignal }} options
 */
export async function build({ root, terminal, env, signal }) {
  const stamp = join(root, STAMP);
  if (readStamp(stamp) === buildFingerprint(root)) return;
  terminal.step('Building …');
  // Straight to the program: npx would take longer to find it than turbo to run.
  const turbo = join(root, 'node_modules', '.bin', 'turbo');
  const { ok, output } = await runCommand(turbo, ['run', 'build', '--output-logs=errors-only', '--no-color'], {
    cwd: root,
    env: { ...env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1', TURBO_UI: 'false' },
    ...(signal && { signal }),
  });
  if (!ok) {
    if (!signal?.aborted) terminal.say(lastLines(output, 60));
    throw new Refusal('The build failed: the compiler’s last lines are above; `npm run build` shows all of them.');
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, buildFingerprint(root));
  terminal.step('Built.');
}

/** @param {string} path */
function readStamp(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

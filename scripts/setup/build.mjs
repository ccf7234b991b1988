import { join } from 'node:path';
import { lastLines, runCommand } from './command.mjs';
import { Refusal } from './refusal.mjs';

// Nothing leaves this machine, and nothing but errors is printed.
const QUIET = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1', TURBO_UI: 'false' };

/**
 * `turbo run build`, each time: where nothing has changed it takes a tenth of a second, and puts back an output that
 * is missing.
 *
 * @param {{ root: string, terminal: import('./terminal.mjs').Terminal, env: import('./root.mjs').Env, signal?: AbortSignal }} options
 */
export async function build({ root, terminal, env, signal }) {
  terminal.step('Building …');
  // Straight to the program: npx would take longer to find it than turbo to run.
  const turbo = join(root, 'node_modules', '.bin', 'turbo');
  const { ok, output } = await runCommand(turbo, ['run', 'build', '--output-logs=errors-only', '--no-color'], {
    cwd: root,
    env: { ...env, ...QUIET },
    ...(signal && { signal }),
  });
  if (ok) return;
  if (!signal?.aborted) terminal.say(lastLines(output, 60));
  throw new Refusal('The build failed: the compiler’s last lines are above; `npm run build` shows all of them.');
}

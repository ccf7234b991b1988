import { join } from 'node:path';
import { runProgram } from './run-program.mjs';
import { withSetUp } from './run-setup.mjs';

/** `npm run quality -- ARGS`: set-up, then quality/main.mjs, which runs the built processors without a Redis. */
export async function main() {
  await withSetUp(({ root, env, signal }) =>
    runProgram([join(root, 'quality', 'main.mjs'), ...process.argv.slice(2)], { cwd: root, env, signal }),
  );
}

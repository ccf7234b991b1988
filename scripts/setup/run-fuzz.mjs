import { join } from 'node:path';
import { runProgram } from './run-program.mjs';
import { withSetUp } from './run-setup.mjs';

/** `npm run fuzz -- ARGS`: set-up, then fuzz/main.mjs, which starts its own Redis from the binary it is told. */
export async function main() {
  await withSetUp(({ root, env, signal, binary }) =>
    runProgram([join(root, 'fuzz', 'main.mjs'), ...process.argv.slice(2)], {
      cwd: root,
      env: { ...env, MILLRACE_TEST_REDIS_BINARY: binary },
      signal,
    }),
  );
}

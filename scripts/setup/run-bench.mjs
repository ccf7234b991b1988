import { join } from 'node:path';
import { runProgram } from './run-program.mjs';
import { withSetUp } from './run-setup.mjs';

/**
 * `npm run bench -- ARGS`: set-up, then bench/main.mjs, which starts its own Redis from the binary it is told; with `vectors` as the
 * first argument bench/vectors/main.mjs, which measures collections.
 */
export async function main() {
  const args = process.argv.slice(2);
  const script = args[0] === 'vectors' ? join(args.shift() ?? '', 'main.mjs') : 'main.mjs';
  await withSetUp(({ root, env, signal, binary }) =>
    runProgram([join(root, 'bench', script), ...args], {
      cwd: root,
      env: { ...env, MILLRACE_TEST_REDIS_BINARY: binary },
      signal,
    }),
  );
}

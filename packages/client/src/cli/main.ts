import { Interrupts } from './interrupts.ts';
import { runCommand } from './program.ts';
import { textSink } from './shell.ts';

/** The process of `millrace`: its streams, signals and end. */
async function main(): Promise<void> {
  const interrupts = new Interrupts((code) => process.exit(code));
  process.on('SIGINT', () => interrupts.note());
  process.on('SIGTERM', () => interrupts.note());
  // Whoever read it has gone, such as `head`: nothing more can be said there, and what a run writes fails where it is written.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  const shell = { in: process.stdin, out: textSink(process.stdout), err: textSink(process.stderr), interrupts };
  const exitCode = await runCommand(process.argv.slice(2), shell);
  // All is closed and said. What libraries leave behind, such as a timer or an open stdin, must not keep a shell waiting.
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(exitCode);
}

/** Resolves when all that was written has gone out, or cannot. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}

await main();

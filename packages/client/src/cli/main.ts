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
  process.exitCode = await runCommand(process.argv.slice(2), shell);
  // Otherwise a pipe that nobody closes would keep the process.
  process.stdin.destroy();
}

await main();

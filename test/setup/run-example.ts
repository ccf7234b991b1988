import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

interface ExampleMill {
  readonly redisUrl: string;
  readonly prefix: string;
}

/** Runs an example as a reader does, and gives what it prints. An empty variable counts as none, and wins over a .env. */
export async function runExample(
  script: string,
  { redisUrl, prefix }: ExampleMill,
  args: string[] = [],
): Promise<string> {
  const env = { PATH: process.env['PATH'], REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix, MILLRACE_HOME: '' };
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { env });
  return stdout;
}

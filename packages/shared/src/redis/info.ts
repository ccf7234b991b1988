import type { Redis } from './connection.ts';

/** The fields of Redis' answer to INFO, all sections in one. */
export function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** Asks for INFO; nothing where the user may not, or the service has no such command. */
export async function readInfo(redis: Redis, section = 'default'): Promise<string> {
  try {
    return await redis.info(section);
  } catch (error) {
    if (isForbidden(error)) return '';
    throw error;
  }
}

/** Whether Redis refused a command to this user, or to everybody as managed services do. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && /^(NOPERM|ERR unknown command)/i.test(error.message);
}

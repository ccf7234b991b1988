import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../../../test/setup/mill.ts';
import { startWorker, stopProcesses } from '../../../test/setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
let mill: Millrace;

beforeAll(async () => {
  mill = new Millrace({ redisUrl, prefix });
  await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text' } });
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
});

const count = 10_000;
/** Characters of a text: 10,000 of them are just below 8 MiB of JSON. */
const length = 800;

/** Texts of 100 numbers each, of which so many are of its own and the others are those of all. */
function textsWith(own: number): string[] {
  return Array.from({ length: count }, (_, text) =>
    Array.from({ length: length / 8 }, (_, place) =>
      String((place < own ? text + 1 : 0) * 1009 + place * 7919).padStart(7, 'x'),
    )
      .join(' ')
      .slice(0, length),
  );
}

describe('A worker, given lists of the largest size', () => {
  it.each([
    ['texts that have nothing in common', 100, 10_000],
    ['texts that are all nearly the same', 2, 1],
    ['texts that are all just short of the threshold', 12, 10_000],
  ])(
    'groups %s within the time that every task has',
    async (_, own, kept) => {
      const task = await mill.enqueue('text.deduplicate', { texts: textsWith(own) });
      const { groups, unique } = await task.result({ timeoutMs: 120_000 });
      expect(unique.length + groups.reduce((sum, { members }) => sum + members.length - 1, 0)).toBe(count);
      expect(unique.length).toBe(kept);
    },
    150_000,
  );

  it('redacts texts beside it', async () => {
    const task = await mill.enqueue('text.redact', { texts: ['ann@example.org', 'no one'], kinds: ['email'] });
    expect(await task.result()).toEqual({
      texts: ['[EMAIL]', 'no one'],
      findings: [[{ kind: 'email', start: 0, end: 15, redactedStart: 0, redactedEnd: 7 }], []],
      counts: { email: 1 },
    });
  });
});

import { defineTaskType } from '@millrace/shared/tasks/define-task-type';
import { z } from 'zod';
import { HeldTask } from '../dist/process/held-task.js';

interface Echo {
  readonly text: string;
  readonly by: string;
}

/**
 * A type whose texts are the same when they read the same. Its values name what made them, so that they can be kept; the lanes'
 * processor of that name is the one of test/setup/trouble-plugin.mjs.
 */
export const echoType = defineTaskType({
  type: 'text.trouble',
  family: 'text',
  description: 'Echoes texts.',
  input: z.strictObject({ texts: z.array(z.string()).min(1) }),
  output: z.object({ texts: z.array(z.string()) }),
  example: { texts: ['fine'] },
  items: ({ texts }) => texts,
  join: (values: readonly Echo[]) => ({ texts: values.map(({ text }) => text) }),
  cost: () => 1,
  // One that says so is like no other.
  identity: (text) => (text.startsWith('unshared') ? undefined : text),
  keeping: {
    source: (text) => text.slice(0, 1),
    fingerprint: ({ by }) => by,
    pack: ({ text }) => new TextEncoder().encode(text),
    unpack: (bytes, _text, by) => (bytes.length === 0 ? undefined : { text: new TextDecoder().decode(bytes), by }),
  },
});

let tasks = 0;

/** A task as a worker holds it, of a number of texts. */
export function heldTask(texts: readonly string[], params: Partial<HeldTask['params']> = {}): HeldTask {
  tasks += 1;
  const input = { texts: [...texts] };
  const now = Date.now();
  return new HeldTask({
    ref: { family: 'text', jobId: `job-${tasks}` },
    taskType: echoType,
    input,
    inputBytes: JSON.stringify(input).length,
    attempt: 1,
    startedAttempts: 1,
    priority: 100,
    addedAt: now,
    createdAt: now,
    timeoutMs: 60_000,
    expiresAt: undefined,
    resultTtlMs: 60_000,
    tags: [],
    pulledAt: now,
    suspect: false,
    ...params,
  });
}

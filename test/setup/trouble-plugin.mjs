// A task type whose items do what their text says: the troubles that a processor of anybody's own can make.
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTaskType } from '@millrace/shared/tasks/define-task-type';
import { defineProcessor, failed, succeeded } from '@millrace/shared/tasks/processor';
import { z } from 'zod';

export const trouble = defineTaskType({
  type: 'text.trouble',
  family: 'text',
  description: 'Echoes texts; some make trouble.',
  input: z.strictObject({ texts: z.array(z.string()).min(1) }),
  output: z.object({ texts: z.array(z.string()) }),
  example: { texts: ['fine'] },
  items: ({ texts }) => texts,
  join: (/** @type {readonly string[]} */ texts) => ({ texts: [...texts] }),
});

export const troubleProcessor = defineProcessor(trouble, {
  process: async (texts, { signal }) => {
    for (const text of texts) act(text);
    if (texts.includes('dawdle')) await sleep(500, undefined, { signal }).catch(() => {});
    return texts.map((text) => {
      if (text === 'dawdle' && signal.aborted) return failed('TASK_TIMEOUT', 'it was told to stop');
      return text === 'fail' ? failed('PROCESSOR_FAILED', 'it was asked to fail') : succeeded(text);
    });
  },
});

/** What `hoard` never lets go. @type {Buffer[]} */
const hoard = [];

/** @param {string} text */
function act(text) {
  switch (text) {
    case 'abort':
      process.abort();
      break;
    case 'kill worker':
      process.kill(process.ppid, 'SIGKILL');
      break;
    case 'throw':
      throw new Error('it was asked to throw');
    case 'hang':
      for (;;);
    case 'hoard':
      hoard.push(Buffer.alloc(16 * 2 ** 20, 1));
      break;
    case 'work':
      for (const until = Date.now() + 50; Date.now() < until; );
  }
}

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

describe('A text lane', () => {
  it('analyzes texts of a task, each by itself, and gives what the schema says', async () => {
    const texts = ['The mill opens at 9 am.', '', 'Die Mühle öffnet um neun Uhr morgens.', 'half \ud800 a character'];
    const task = await mill.enqueue('text.analyze', { texts });
    const { analyses } = await task.result({ timeoutMs: 30_000 });
    expect(analyses.map(({ language }) => language.code).slice(0, 3)).toEqual(['en', null, 'de']);
    expect(analyses[0]?.entities).toEqual([{ kind: 'time', text: '9 am', start: 18, end: 22 }]);
    expect(analyses[3]?.sentences?.[0]?.text).toBe('half \ufffd a character');
  });

  it('summarizes texts', async () => {
    const texts = ['One mill stands here. Two mills stand there. Ducks sleep. A mill needs a river.', ''];
    const task = await mill.enqueue('text.summarize', { texts, sentences: 2 });
    const { summaries } = await task.result({ timeoutMs: 30_000 });
    expect(summaries.map(({ of, sentences }) => [of, sentences.length])).toEqual([
      [4, 2],
      [0, 0],
    ]);
  });

  it('fails a task by the text that is at fault, and names it', async () => {
    const task = await mill.enqueue('text.analyze', { texts: ['fine', '😀'.repeat(200_001)], features: ['entities'] });
    await expect(task.result({ timeoutMs: 30_000 })).rejects.toMatchObject({
      code: 'INPUT_TOO_LARGE',
      items: [{ index: 1, code: 'INPUT_TOO_LARGE' }],
    });
  });

  it('refuses at the door what no type takes', async () => {
    const refused = (input: object) => mill.enqueue('text.analyze', input as never);
    await expect(refused({ texts: ['a'], features: ['tokens', 'tokens'] })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await expect(refused({ texts: ['a'], language: 'English' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(refused({ texts: ['a'.repeat(4 * 2 ** 20)] })).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' });
    await expect(refused({ texts: Array(257).fill('a') })).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' });
  });
});

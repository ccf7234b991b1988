import { describe, expect, it } from 'vitest';
import { newTaskId, parseTaskId, taskIdOf } from '../src/tasks/ids.ts';
import { families } from '../src/tasks/task.ts';

describe('A task id', () => {
  it.each(families)('names the queue of its family: %s', (family) => {
    const id = newTaskId(family);
    expect(parseTaskId(id)).toEqual({ family, jobId: id });
    expect(taskIdOf({ family, jobId: id })).toBe(id);
  });

  it('sorts in the order that ids were made', () => {
    const ids = Array.from({ length: 500 }, () => newTaskId('text'));
    expect([...ids].sort()).toEqual(ids);
  });

  it("reads a bare producer's job as family and job id", () => {
    expect(taskIdOf({ family: 'vector', jobId: '42' })).toBe('vector.42');
    expect(parseTaskId('vector.42')).toEqual({ family: 'vector', jobId: '42' });
    expect(parseTaskId('text.my.own')).toEqual({ family: 'text', jobId: 'my.own' });
  });

  it.each([
    '',
    'x',
    't-',
    't-123',
    'x-0198c8a0-0000-7000-8000-000000000000',
    'other.1',
    'text.',
    'text.a b',
    'text.{a}',
    '.text',
  ])('is not %j', (id) => {
    expect(parseTaskId(id)).toBeUndefined();
  });
});

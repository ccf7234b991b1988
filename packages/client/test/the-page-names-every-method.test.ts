import { readFileSync } from 'node:fs';
import { Millrace } from '@millrace/client';
import { Operator } from '@millrace/client/operator';
import { Run } from '@millrace/client/run';
import { Runs } from '@millrace/client/runs';
import { Task } from '@millrace/client/task';
import { TestControl } from '@millrace/client/testing';
import { expect, it } from 'vitest';

const page = readFileSync(new URL('../../../docs/client.md', import.meta.url), 'utf8');

it.each([Millrace, Operator, Task, Run, Runs, TestControl])(
  'docs/client.md names every method of %o',
  ({ prototype }) => {
    const names = Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
    expect(names.filter((name) => !new RegExp(`\\b${name}(\\(|\`| = )`).test(page))).toEqual([]);
  },
);

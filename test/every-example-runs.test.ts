import { createCatalog } from '@millrace/shared/tasks/catalog';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import type { TaskView } from '@millrace/shared/tasks/task';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from './setup/mill.ts';
import { linkAllModels } from './setup/model-folders.ts';
import { startApi, startWorker, stopProcesses } from './setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const folders = linkAllModels();
const types = [...createCatalog().values()];
let url: string;

beforeAll(async () => {
  // Every family, and the models of the tests beside the bundled one.
  await startWorker({ redisUrl, prefix, env: { MODELS_DIR: folders.dir } });
  url = (await startApi({ redisUrl, prefix })).url;
  await createCollections();
});
afterAll(async () => {
  await stopProcesses();
  folders.remove();
});

async function send(method: string, path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return await fetch(url + path, { method, headers, body: JSON.stringify(body) });
}

/** The collections that examples work on, as the docs say that they have to be there first. */
async function createCollections(): Promise<void> {
  const names = new Set(types.flatMap((taskType) => taskType.collection(taskType.example)?.name ?? []));
  for (const name of names) {
    const settings = { dimensions: 384, metric: 'cosine', model: bundledModel };
    const response = await send('PUT', `/v1/collections/${name}`, settings);
    expect(response.status, await response.text()).toBeLessThan(300);
  }
}

/** The result as its schema has it: over HTTP vectors are arrays of numbers, in memory rows of float32. */
function inMemory({ vectors }: TaskType, result: unknown): unknown {
  if (vectors === undefined) return result;
  const fields = result as Record<string, unknown>;
  return { ...fields, [vectors]: (fields[vectors] as number[][]).map((row) => Float32Array.from(row)) };
}

describe('The example of every task type', () => {
  it.each(types.map((taskType): [string, TaskType] => [taskType.type, taskType]))(
    '%s runs, and gives what the type promises',
    async (type, taskType) => {
      const response = await send('POST', '/v1/tasks?wait=50', { type, input: taskType.example });
      const task = (await response.json()) as TaskView;
      expect(task).toMatchObject({ type, state: 'succeeded', attempt: 1 });
      expect(task.error).toBeUndefined();
      const checked = taskType.output.safeParse(inMemory(taskType, task.result));
      expect(checked.error).toBeUndefined();
      // A field that the schema does not have would be told to nobody.
      expect(checked.data).toEqual(inMemory(taskType, task.result));
    },
  );
});

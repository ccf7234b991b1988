import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Models } from '../apps/worker/dist/inference/models.js';
import { transformersRuntime } from '../apps/worker/dist/inference/runtimes/transformers.js';
import { parseTask } from '../packages/shared/dist/tasks/parse.js';

/** Padded tokens of a forward pass, as a worker has them by default. */
const passTokens = 512;
/** Items of a call. */
const callItems = 64;

/** The models that come with Millrace, loaded when they are asked for. */
function bundledModels() {
  const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
  const runtime = transformersRuntime({ modelsDir, threads: 1 });
  return new Models({ runtime, modelsDir, memoryLimit: 2 ** 30, now: Date.now });
}

/**
 * Runs tasks of a type as a lane does; gives their outputs.
 *
 * @template Input, Output, Item, Value
 * @param {import('@millrace/shared/tasks/define-task-type').TaskType<Input, Output, Item, Value>} taskType
 * @param {(services: { models: Models, passTokens: number }) => import('@millrace/shared/tasks/processor').Processor<Item, Value>} createProcessor
 * @returns {(input: unknown) => Promise<Output>}
 */
export function taskRunner(taskType, createProcessor) {
  const processor = createProcessor({ models: bundledModels(), passTokens });
  const context = { count: () => {}, signal: new AbortController().signal };
  return async (input) => {
    const catalog = new Map([[taskType.type, /** @type {any} */ (taskType)]]);
    const parsed = /** @type {Input} */ (parseTask({ catalog }, { type: taskType.type, input }).input);
    const items = taskType.items(parsed);
    const values = [];
    for (let at = 0; at < items.length; at += callItems) {
      for (const outcome of await processor.process(items.slice(at, at + callItems), context)) {
        if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.message}`);
        values.push(outcome.value);
      }
    }
    return taskType.join(values, parsed);
  };
}

/**
 * The rows of a set below quality/data.
 *
 * @param {string} name
 * @returns {Promise<any[]>}
 */
export async function readSet(name) {
  const text = await readFile(new URL(`data/${name}`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** @param {readonly number[]} values */
export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

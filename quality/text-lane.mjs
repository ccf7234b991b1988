import { readFileSync } from 'node:fs';

/**
 * The rows of a set.
 *
 * @param {string} name of a file in data/
 */
export function readRows(name) {
  const lines = readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line));
}

/**
 * Runs one task of a text type as a lane would.
 *
 * @param {{ items(input: unknown): unknown[], join(values: unknown[], input: unknown): any }} taskType
 * @param {{ process(items: unknown[], context: unknown): Promise<any[]> }} processor
 * @param {unknown} input
 */
export async function runTask(taskType, processor, input) {
  const context = { count: () => {}, signal: new AbortController().signal };
  const outcomes = await processor.process(taskType.items(input), context);
  const values = outcomes.map((outcome) => {
    if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.message}`);
    return outcome.value;
  });
  return taskType.join(values, input);
}

/** The text of sentences: Chinese and Japanese set no space between them. */
export function textOf(language, sentences) {
  return sentences.join(['ja', 'zh'].includes(language) ? '' : ' ');
}

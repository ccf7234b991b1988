import { embed } from '@millrace/shared/tasks/inference/embed';
import { type Door, limitsOf } from '@millrace/shared/tasks/parse';

/** Texts a task: enough to make the task's own cost small, few enough for many workers to share them. */
const textsPerTask = 64;
/** Characters of a task's texts: well below the limit of a task in bytes. */
const charactersPerTask = 200_000;

/** How many texts, and characters of them, go into one task. */
export interface TaskSize {
  readonly texts: number;
  readonly characters: number;
}

/** What a task may have here; TASK_LIMITS may want less. */
export function taskSizeOf(door: Door): TaskSize {
  const { items } = limitsOf(door, embed);
  return { texts: Math.min(textsPerTask, items), characters: charactersPerTask };
}

/** Splits texts into the texts of tasks, in order. One that is longer than a task's characters has a task of its own. */
export function splitTexts(texts: readonly string[], { texts: most, characters: longest }: TaskSize): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  let characters = 0;
  for (const text of texts) {
    if (part.length === most || (part.length > 0 && characters + text.length > longest)) {
      parts.push(part);
      part = [];
      characters = 0;
    }
    part.push(text);
    characters += text.length;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

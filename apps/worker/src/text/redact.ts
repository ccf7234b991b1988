import { setImmediate } from 'node:timers/promises';
import { defineProcessor, failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import {
  type Finding,
  placeholders,
  type RedactItem,
  type RedactValue,
  redact,
} from '@millrace/shared/tasks/text/redact';
import { type Found, findAll } from './redact/find-all.ts';

/**
 * Replaces what detectors find (text/redact/detectors.ts) by the name of its kind, and says where it was. Text by text: a call
 * that takes too long ends between two.
 */
export const redactProcessor = defineProcessor(redact, {
  process: async (items, { signal }) => {
    const outcomes: ItemOutcome<RedactValue>[] = [];
    for (const item of items) {
      await setImmediate();
      outcomes.push(signal.aborted ? failed('TASK_TIMEOUT', 'It took too long.') : redactOne(item));
    }
    return outcomes;
  },
});

function redactOne({ text, kinds, region }: RedactItem): ItemOutcome<RedactValue> {
  try {
    const wanted = new Set(kinds);
    return succeeded(
      replace(
        text,
        findAll(text, { region }).filter(({ kind }) => wanted.has(kind)),
      ),
    );
  } catch (error) {
    return failed(
      'PROCESSOR_FAILED',
      `The text of ${text.length} characters cannot be searched: ${(error as Error).message}`,
    );
  }
}

/** The text with its findings replaced; places count UTF-16 units. */
function replace(text: string, found: readonly Found[]): RedactValue {
  const pieces: string[] = [];
  const findings: Finding[] = [];
  let read = 0;
  let written = 0;
  for (const { kind, start, end } of found) {
    const placeholder = placeholders[kind];
    const redactedStart = written + start - read;
    const redactedEnd = redactedStart + placeholder.length;
    pieces.push(text.slice(read, start), placeholder);
    findings.push({ kind, start, end, redactedStart, redactedEnd });
    read = end;
    written = redactedEnd;
  }
  pieces.push(text.slice(read));
  // A lone surrogate is no text: the replacement character is as long, so that every place stays.
  return { text: pieces.join('').toWellFormed(), findings };
}

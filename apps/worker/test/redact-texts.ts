import { builtinTaskTypes, type InputOf } from '@millrace/shared/tasks/catalog';
import type { RedactValue } from '@millrace/shared/tasks/text/redact';
import { redactProcessor } from '../src/text/redact.ts';

type Options = Partial<Omit<InputOf<'text.redact'>, 'texts'>>;

/** Redacts one text as a lane does. */
export async function redactText(text: string, options: Options = {}): Promise<RedactValue> {
  const items = builtinTaskTypes['text.redact'].items({ texts: [text], ...options });
  const [outcome] = await redactProcessor.process(items, { count: () => {}, signal: new AbortController().signal });
  if (outcome?.ok !== true) throw new Error(outcome?.message);
  return outcome.value;
}

/** What is found in a text: kinds and values, in order. */
export async function foundIn(text: string, options: Options = {}): Promise<string[]> {
  const { findings } = await redactText(text, options);
  return findings.map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`);
}

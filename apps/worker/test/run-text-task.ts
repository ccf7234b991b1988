import type { ItemOutcome, Processor } from '@millrace/shared/tasks/processor';
import { type Analysis, analyze } from '@millrace/shared/tasks/text/analyze';
import { type Summary, summarize } from '@millrace/shared/tasks/text/summarize';
import { analyzeProcessor } from '../src/text/analyze.ts';
import { summarizeProcessor } from '../src/text/summarize.ts';

type AnalyzeInput = Parameters<typeof analyze.items>[0];
type SummarizeInput = Parameters<typeof summarize.items>[0];

/** A call that nobody ends. */
export function callContext(signal = new AbortController().signal) {
  return { count: () => {}, signal };
}

/** What becomes of one text. */
export async function analyzeOutcome(
  text: string,
  options: Omit<AnalyzeInput, 'texts'> = {},
): Promise<ItemOutcome<Analysis>> {
  return first(analyzeProcessor, analyze.items({ texts: [text], ...options }));
}

export async function analyzeText(text: string, options: Omit<AnalyzeInput, 'texts'> = {}): Promise<Analysis> {
  return succeededValue(await analyzeOutcome(text, options));
}

export async function summaryOutcome(
  text: string,
  options: Omit<SummarizeInput, 'texts'> = {},
): Promise<ItemOutcome<Summary>> {
  return first(summarizeProcessor, summarize.items({ texts: [text], ...options }));
}

export async function summarizeText(text: string, options: Omit<SummarizeInput, 'texts'> = {}): Promise<Summary> {
  return succeededValue(await summaryOutcome(text, options));
}

async function first<Item, Value>(processor: Processor<Item, Value>, items: readonly Item[]) {
  const [outcome] = await processor.process(items, callContext());
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}

function succeededValue<Value>(outcome: ItemOutcome<Value>): Value {
  if (!outcome.ok) throw new Error(`${outcome.code}: ${outcome.message}`);
  return outcome.value;
}

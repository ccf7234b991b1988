import { defineProcessor, failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import { type DeduplicateOutput, deduplicate, thresholdOf } from '@millrace/shared/tasks/text/deduplicate';
import { groupTexts } from './deduplicate/group.ts';

/** Groups near duplicates among the texts of a task: MinHash and banding find candidates, true similarity decides. */
export const deduplicateProcessor = defineProcessor(deduplicate, {
  process: async (items, { signal }) => {
    const outcomes: ItemOutcome<DeduplicateOutput>[] = [];
    for (const input of items) {
      try {
        outcomes.push(succeeded(await groupTexts(input.texts, { threshold: thresholdOf(input), signal })));
      } catch (error) {
        outcomes.push(outcomeOf(error as Error, signal));
      }
    }
    return outcomes;
  },
});

function outcomeOf({ message }: Error, { aborted }: AbortSignal): ItemOutcome<never> {
  if (aborted) return failed('TASK_TIMEOUT', 'It took too long.');
  return failed('PROCESSOR_FAILED', `The texts cannot be compared: ${message}`);
}

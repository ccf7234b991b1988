import { defineProcessor, failed, succeeded } from '@millrace/shared/tasks/processor';
import { deduplicate, thresholdOf } from '@millrace/shared/tasks/text/deduplicate';
import { groupTexts } from './deduplicate/group.ts';

/** Groups near duplicates among the texts of a task: MinHash and banding find candidates, true similarity decides. */
export const deduplicateProcessor = defineProcessor(deduplicate, {
  process: async (items) =>
    items.map((input) => {
      try {
        return succeeded(groupTexts(input.texts, thresholdOf(input)));
      } catch (error) {
        return failed(
          'PROCESSOR_FAILED',
          `The ${input.texts.length} texts cannot be compared: ${(error as Error).message}`,
        );
      }
    }),
});

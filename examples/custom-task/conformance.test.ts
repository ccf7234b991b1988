import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import { describeProcessor } from '../../test/conformance/processor.ts';
import { commonWords, commonWordsProcessor } from './common-words.ts';
import { readingTime, readingTimeProcessor } from './reading-time.mjs';

// What every built-in processor has to pass, any other can be held to as well.
describeProcessor('text.reading-time', {
  taskType: readingTime as TaskType,
  processor: async () => readingTimeProcessor,
  inputOf: (texts) => ({ texts, language: 'en' }),
  bad: [{ texts: ['... !'], language: 'en' }],
  tolerance: 0,
});

describeProcessor('text.common-words', {
  taskType: commonWords as TaskType,
  processor: async () => commonWordsProcessor,
  inputOf: (texts) => ({ texts }),
  bad: [{ texts: ['... !'] }],
  tolerance: 0,
});

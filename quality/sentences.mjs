import { analyzeProcessor } from '../apps/worker/dist/text/analyze.js';
import { analyze } from '../packages/shared/dist/tasks/text/analyze.js';
import { readRows, runTask, textOf } from './text-lane.mjs';

const set = 'sentences.jsonl';

/**
 * How often all the sentences of a short text are cut where they should be: texts full of abbreviations, initials, quotations and
 * addresses. Beside it the rules of Unicode alone, which know none of these.
 */
export async function check() {
  const rows = readRows(set).filter(({ split }) => split === 'check');
  const rightByUs = await Promise.all(rows.map(async (row) => isRight(row, await cut(row))));
  const rightByUnicode = rows.map((row) => isRight(row, cutByUnicode(row)));
  return [
    { check: 'text.analyze: all sentences of a text', figure: share(rightByUs), unit: 'share', goal: 0.85, set },
    {
      check: 'text.analyze: all sentences of a text, if Unicode (UAX #29) cut them',
      figure: share(rightByUnicode),
      unit: 'share',
      goal: null,
      set,
    },
  ];
}

async function cut({ language, sentences }) {
  const input = { texts: [textOf(language, sentences)], features: ['sentences'], language };
  const { analyses } = await runTask(analyze, analyzeProcessor, input);
  return analyses[0].sentences.map(({ text }) => text);
}

function cutByUnicode({ language, sentences }) {
  const segmenter = new Intl.Segmenter(language, { granularity: 'sentence' });
  return Array.from(segmenter.segment(textOf(language, sentences)), ({ segment }) => segment.trim());
}

function isRight({ sentences }, found) {
  return found.length === sentences.length && found.every((text, index) => text === sentences[index]);
}

function share(right) {
  return right.filter((one) => one).length / right.length;
}

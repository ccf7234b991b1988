import { analyzeProcessor } from '../apps/worker/dist/text/analyze.js';
import { analyze } from '../packages/shared/dist/tasks/text/analyze.js';
import { readRows, runTask } from './text-lane.mjs';

const set = 'languages.jsonl';

/** How often the language of a sentence is the right one: 28 languages, the same 25 sentences in each, nothing left out. */
export async function check() {
  const rows = readRows(set);
  const input = { texts: rows.map(({ text }) => text), features: [] };
  const { analyses } = await runTask(analyze, analyzeProcessor, input);
  const judged = rows.map(({ language }, index) => ({
    language,
    isRight: analyses[index].language.code === language,
    reliable: analyses[index].language.reliable,
  }));
  const languages = [...new Set(rows.map(({ language }) => language))];
  const shares = languages.map((one) => shareRight(judged.filter(({ language }) => language === one)));
  const name = 'text.analyze: right language of a sentence';
  return [
    { check: name, figure: shareRight(judged), unit: 'share', goal: 0.97, set },
    { check: `${name}, the worst language`, figure: Math.min(...shares), unit: 'share', goal: null, set },
    {
      check: 'text.analyze: right, where it says that it is reliable',
      figure: shareRight(judged.filter(({ reliable }) => reliable)),
      unit: 'share',
      goal: null,
      set,
    },
  ];
}

function shareRight(judged) {
  return judged.filter(({ isRight }) => isRight).length / judged.length;
}

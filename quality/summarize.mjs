import { summarizeProcessor } from '../apps/worker/dist/text/summarize.js';
import { summarize } from '../packages/shared/dist/tasks/text/summarize.js';
import { readRows, runTask, textOf } from './text-lane.mjs';

const set = 'summaries.jsonl';
const chosen = 3;

/**
 * Of three sentences that are chosen of a short article, how many are among the three that a reader marked as telling, and how many are
 * asides of something else. Beside it what the first three sentences, and three by chance, would give.
 */
export async function check() {
  const rows = readRows(set).filter(({ split }) => split === 'check');
  const roles = (await Promise.all(rows.map(rolesOfSummary))).flat();
  const leads = rows.flatMap(({ sentences }) => sentences.slice(0, chosen).map(({ role }) => role));
  const all = rows.flatMap(({ sentences }) => sentences.map(({ role }) => role));
  const row = (check, figure, goal) => ({ check, figure, unit: 'share', goal, set });
  return [
    row('text.summarize: chosen sentences that tell', share(roles, 'telling'), 0.6),
    row('text.summarize: the same of the first three sentences', share(leads, 'telling'), null),
    row('text.summarize: the same of three by chance', share(all, 'telling'), null),
    row('text.summarize: chosen sentences that are asides (less is better)', share(roles, 'aside'), 0.05),
  ];
}

async function rolesOfSummary({ language, sentences }) {
  const text = textOf(
    language,
    sentences.map((sentence) => sentence.text),
  );
  const { summaries } = await runTask(summarize, summarizeProcessor, { texts: [text], sentences: chosen });
  // A sentence that was cut otherwise than it was written is that with which it begins.
  return summaries[0].sentences.map((one) => sentences.find((sentence) => one.text.startsWith(sentence.text))?.role);
}

function share(roles, wanted) {
  return roles.filter((role) => role === wanted).length / roles.length;
}

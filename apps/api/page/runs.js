import { actionButton, ask, post } from './actions.js';
import { el, say } from './dom.js';
import { ago, count, duration, fullTime, none, percent, rate } from './format.js';
import { bar, tableIn, twoLines } from './table.js';

/** @typedef {import('./feed.js').Overview} Overview */
/** @typedef {Overview['runs']['listed'][number] & { now: number }} Run */

const open = ['validating', 'in_progress', 'finalizing', 'cancelling'];
const words = /** @type {Record<string, [tone: string, word: string]>} */ ({
  validating: ['fine', 'reading the input'],
  in_progress: ['fine', 'running'],
  finalizing: ['fine', 'writing the output'],
  cancelling: ['warn', 'being cancelled'],
  completed: ['off', 'done'],
  failed: ['bad', 'failed'],
  expired: ['bad', 'expired'],
  cancelled: ['off', 'cancelled'],
});

/**
 * Runs over a corpus, with how far each is.
 * @param {HTMLElement} parent
 * @returns {(overview: Overview) => void}
 */
export function runsIn(parent) {
  /** @type {(runs: readonly Run[]) => void} */
  const show = tableIn(parent, {
    label: 'Runs',
    columns: [
      { title: 'Run', width: 33, className: 'wide' },
      { title: 'Progress', width: 33, className: 'progress' },
      { title: 'Speed', width: 19, className: 'number' },
      { title: 'Action', width: 15, className: 'action' },
    ],
    key: ({ id }) => id,
    make: runRow,
  });
  return ({ runs, at }) => {
    const now = Date.parse(at);
    show(runs.listed.map((run) => ({ ...run, now })));
  };
}

/** @param {HTMLTableCellElement[]} cells */
function runRow([run, progress, speed, action]) {
  if (!run || !progress || !speed || !action) throw new Error('a run has four cells');
  const name = el('bdi', { class: 'name' });
  const about = twoLines(run, name);
  const state = el('span', { class: 'state' });
  const done = el('span', { class: 'sub' });
  const meter = bar('Progress of the run');
  progress.append(el('span', { class: 'two' }, el('span', { class: 'spread' }, state, done), meter.element));
  const lines = el('span');
  const rest = twoLines(speed, lines);
  const end = runEnd(action);
  /** @param {Run} shown */
  return (shown) => {
    const { id, endpoint, metadata, created_at: created, status, request_counts: counts, now } = shown;
    const title = metadata?.['name'] ?? id;
    say(name, title);
    name.title = `${id}, since ${fullTime(new Date(created * 1000).toISOString())}`;
    say(about, `${endpoint} · ${ago(now - created * 1000)}`);
    const [tone, word] = words[status] ?? ['off', status];
    state.dataset['tone'] = shown.progress.blocked === null ? tone : 'warn';
    say(state, shown.progress.blocked === null ? word : 'waiting');
    state.title = shown.progress.blocked?.message ?? '';
    const { done: ended, total } = shown.progress;
    const share = total === 0 ? 0 : ended / total;
    const fell = counts.failed === 0 ? '' : `, ${count(counts.failed)} failed`;
    say(done, total === 0 ? none : `${count(ended)} of ${count(total)}${fell}`);
    meter.fill(share, `${percent(share)}, ${count(ended)} of ${count(total)}${fell}`);
    say(lines, open.includes(status) ? speedOf(shown) : none);
    say(rest, restOf(shown));
    end(shown, title);
  };
}

/** @param {Run} run */
function speedOf({ progress: { lines_per_second: perSecond } }) {
  return perSecond === null ? none : `${rate(perSecond)} a second`;
}

/** @param {Run} run */
function restOf({ progress: { eta_seconds: seconds }, ...run }) {
  if (seconds !== null) return `${duration(seconds * 1000)} to go`;
  const began = run.in_progress_at;
  const ended = run.completed_at ?? run.cancelled_at ?? run.expired_at ?? run.failed_at;
  return began === null || ended === null ? '' : `took ${duration(Math.max(1, ended - began) * 1000)}`;
}

/**
 * What can be done with a run: cancel it while it is open, then read what it wrote.
 * @param {HTMLElement} cell
 */
function runEnd(cell) {
  /** @type {Run | undefined} */
  let current;
  let title = '';
  const cancel = actionButton({ class: 'cancel' }, async () => {
    const { id } = /** @type {Run} */ (current);
    const yes = await ask({
      title: 'Cancel this run?',
      text: `${title}: what is under way is dropped. What has ended by then is in the output.`,
      yes: 'Cancel the run',
      no: 'Let it go on',
    });
    if (!yes) return 'The run goes on.';
    await post(`/v1/batches/${id}/cancel`);
    return 'The run is being cancelled.';
  });
  say(cancel, 'Cancel');
  const output = el('a', {}, 'Output');
  cell.append(cancel, output);
  /** @param {Run} run @param {string} name */
  return (run, name) => {
    current = run;
    title = name;
    cancel.hidden = !['validating', 'in_progress'].includes(run.status);
    cancel.setAttribute('aria-label', `Cancel the run ${name}`);
    const file = run.output_file_id ?? run.error_file_id;
    output.hidden = file === null;
    if (file === null) return;
    output.href = `/v1/files/${encodeURIComponent(file)}/content`;
    say(output, run.output_file_id === null ? 'Errors' : 'Output');
    output.setAttribute('aria-label', `${output.textContent} of the run ${name}`);
  };
}

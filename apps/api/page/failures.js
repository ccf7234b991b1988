import { actionButton, post } from './actions.js';
import { el, say } from './dom.js';
import { explainLink } from './explain.js';
import { ago, amount, count, fullTime } from './format.js';
import { tableIn, twoLines } from './table.js';

/** @typedef {import('./feed.js').Overview} Overview */
/** @typedef {Overview['failures']['groups'][number] & { now: number }} Group */

/**
 * Failed tasks by type and code, each group with its newest.
 * @param {HTMLElement} parent
 * @returns {(overview: Overview) => void}
 */
export function failuresIn(parent) {
  /** @type {(groups: readonly Group[]) => void} */
  const show = tableIn(parent, {
    label: 'Failed tasks',
    columns: [
      { title: 'Reason', width: 25, className: 'wide' },
      { title: 'Tasks', width: 8, className: 'number' },
      { title: 'Newest', width: 54, className: 'message' },
      { title: 'Action', width: 13, className: 'action' },
    ],
    key: ({ type, code }) => JSON.stringify([type, code]),
    make: failureRow,
  });
  return ({ failures, at }) => {
    const now = Date.parse(at);
    show(failures.groups.map((group) => ({ ...group, now })));
  };
}

/** @param {HTMLTableCellElement[]} cells */
function failureRow([reason, tasks, newest, action]) {
  if (!reason || !tasks || !newest || !action) throw new Error('a failure has four cells');
  const code = el('a', { class: 'code' });
  const type = twoLines(reason, code);
  const message = el('bdi', { class: 'clamped' });
  const when = el('span', { class: 'sub' });
  newest.append(el('span', { class: 'two' }, message, when));
  /** @type {Group | undefined} */
  let current;
  const retry = actionButton({ class: 'retry' }, async () => {
    const { family, type: of, code: why } = /** @type {Group} */ (current);
    const { retried, more } = await post('/v1/tasks/retry', { family, type: of, code: why });
    return `${amount(retried, 'task')} ${retried === 1 ? 'waits' : 'wait'} again.${more ? ' There are more: once again.' : ''}`;
  });
  action.append(retry);
  let shownId = '';
  /** @param {Group} group */
  return (group) => {
    current = group;
    say(code, group.code);
    code.href = `/errors/${encodeURIComponent(group.code)}`;
    say(type, group.type);
    say(tasks, count(group.tasks));
    say(message, group.newest.message);
    message.title = group.newest.message;
    if (shownId !== group.newest.id) {
      shownId = group.newest.id;
      when.replaceChildren(el('time', {}), ' · ', explainLink(shownId, 'Why?'));
    }
    const time = /** @type {HTMLTimeElement} */ (when.firstElementChild);
    say(time, ago(group.now - Date.parse(group.newest.at)));
    time.dateTime = group.newest.at;
    time.title = fullTime(group.newest.at);
    say(retry, 'Try again');
    retry.setAttribute('aria-label', `Try ${amount(group.tasks, 'task')} of ${group.type} with ${group.code} again`);
  };
}

import { openDialog } from './actions.js';
import { el } from './dom.js';

/**
 * A link to why a task is where it is: the answer in a dialog, or as it is in a tab of its own.
 * @param {string} id
 * @param {string} text
 */
export function explainLink(id, text) {
  const href = explainPath(id);
  return el(
    'a',
    { class: 'task', href, title: id, click: (event) => onClick(/** @type {MouseEvent} */ (event), id) },
    text,
  );
}

/** @param {string} id */
function explainPath(id) {
  return `/v1/tasks/${encodeURIComponent(id)}/explain`;
}

/**
 * @param {MouseEvent} event
 * @param {string} id
 */
function onClick(event, id) {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  void explain(id);
}

/** @param {string} id */
async function explain(id) {
  const words = el('p', { class: 'explanation' }, 'Asking …');
  const facts = el('dl', { class: 'explained' });
  const links = el(
    'p',
    {},
    el('a', { href: `/v1/tasks/${encodeURIComponent(id)}` }, 'The task as JSON'),
    ' · ',
    el('a', { href: explainPath(id) }, 'The facts as JSON'),
  );
  openDialog({ title: 'Why is this task where it is?', body: [words, facts, links] });
  try {
    const response = await fetch(explainPath(id));
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    words.textContent = answer.summary;
    facts.replaceChildren(
      ...fact('Task', answer.id),
      ...fact('Type', answer.type),
      ...fact('State', answer.state),
      ...fact('Attempt', `${answer.attempt} of ${Math.max(answer.attempt, answer.attempts)}`),
    );
  } catch (error) {
    words.textContent = `That cannot be said now: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function fact(name, value) {
  return [el('dt', {}, name), el('dd', {}, el('bdi', {}, value))];
}

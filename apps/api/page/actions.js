import { byId, el, say } from './dom.js';

/** What the buttons do, and the word about it. */

/** @type {ReturnType<typeof setTimeout> | undefined} */
let fading;

/**
 * Says something to the user, once, also to those who cannot see it.
 * @param {string} text
 * @param {'fine' | 'bad'} [tone]
 */
export function tell(text, tone = 'fine') {
  const word = byId('word');
  clearTimeout(fading);
  word.dataset['tone'] = tone;
  word.replaceChildren(el('span', {}, text));
  fading = setTimeout(() => word.replaceChildren(), tone === 'fine' ? 6000 : 15_000);
}

/**
 * Sends a change. A body of JSON is what no page of another site can send without asking.
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>} the answer
 */
export async function post(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Error(answer.detail ?? answer.error?.message ?? `The API answered ${response.status}.`);
}

/**
 * A button that does something that takes a while. It stays where the focus is meanwhile, and does nothing more.
 * @param {Record<string, string>} attributes
 * @param {() => Promise<string>} act gives the word about it
 */
export function actionButton(attributes, act) {
  const button = el('button', { type: 'button', ...attributes });
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    try {
      tell(await act());
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), 'bad');
    } finally {
      button.removeAttribute('aria-disabled');
    }
  });
  return button;
}

/**
 * Asks before something that cannot be undone.
 * @param {{ title: string, text: string, yes: string, no: string }} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, text, yes, no }) {
  return new Promise((resolve) => {
    const sure = el('button', { type: 'button', class: 'strong', click: () => close(true) }, yes);
    const keep = el('button', { type: 'button', click: () => close(false) }, no);
    const close = openDialog({ title, body: [el('p', {}, text)], buttons: [keep, sure], onClose: resolve });
    keep.focus();
  });
}

/**
 * Shows a dialog; the focus is where it was when it closes.
 * @param {{ title: string, body: Node[], buttons?: Node[], onClose?: (answer: boolean) => void }} content
 * @returns {(answer: boolean) => void} closes it
 */
export function openDialog({ title, body, buttons = [], onClose = () => {} }) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('dialog'));
  if (dialog.open) dialog.close();
  say(byId('dialog-title'), title);
  byId('dialog-body').replaceChildren(...body);
  const end = el('button', { type: 'button', click: () => dialog.close() }, 'Close');
  byId('dialog-buttons').replaceChildren(...(buttons.length === 0 ? [end] : buttons));
  let answer = false;
  dialog.addEventListener('close', () => onClose(answer), { once: true });
  dialog.showModal();
  return (given) => {
    answer = given;
    dialog.close();
  };
}

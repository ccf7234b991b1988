/** The few things that this page does with elements. Text is only ever set as text. */

/** @typedef {Node | string} Child */
/** @typedef {Record<string, string | number | boolean | ((event: Event) => void)>} Attributes */

/**
 * A new element. An attribute that is a function is a listener of that name; `false` leaves an attribute out.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key, value);
    else if (value !== false) element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} [attributes]
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * Sets the text of an element, if it is another: a selection in it stays.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Sets an attribute, if it is another.
 * @param {Element} element
 * @param {string} name
 * @param {string | number} value
 */
export function set(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/**
 * Keeps the children of a parent like a list: those that stay are the same elements, so that focus and selection stay with them.
 * @template Item
 * @param {Element} parent
 * @param {{ key(item: Item): string, make(item: Item): { element: Element, update(item: Item): void } }} kind
 * @returns {(items: readonly Item[]) => void}
 */
export function listIn(parent, { key, make }) {
  /** @type {Map<string, { element: Element, update(item: Item): void }>} */
  let shown = new Map();
  return (items) => {
    /** @type {typeof shown} */
    const next = new Map();
    for (const item of items) {
      const id = key(item);
      const row = shown.get(id) ?? make(item);
      next.set(id, row);
      row.update(item);
    }
    for (const [id, { element }] of shown) if (!next.has(id)) element.remove();
    [...next.values()].forEach(({ element }, index) => {
      const there = parent.children[index];
      if (there !== element) parent.insertBefore(element, there ?? null);
    });
    shown = next;
  };
}

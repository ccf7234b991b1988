import { el, listIn, say, set } from './dom.js';
import { explainLink } from './explain.js';
import { amount, bytes, count, duration, fullTime, percent, rate, roughly } from './format.js';
import { bar, tableIn, twoLines } from './table.js';

/** @typedef {import('./feed.js').Overview} Overview */
/** @typedef {Overview['workers']['listed'][number] & { now: number }} Worker */
/** @typedef {Overview['calls']['types'][number]} Calls */

/**
 * Who works, and on what.
 * @param {HTMLElement} parent
 * @returns {(overview: Overview) => void}
 */
export function workersIn(parent) {
  /** @type {(workers: readonly Worker[]) => void} */
  const show = tableIn(parent, {
    label: 'Workers',
    columns: [
      { title: 'Worker', width: 35, className: 'wide' },
      { title: 'Lanes', width: 18 },
      { title: 'Memory', width: 12, className: 'number' },
      { title: 'Tasks', width: 9, className: 'number' },
      { title: 'Longest running', width: 26, className: 'wide' },
    ],
    key: ({ id }) => id,
    make: workerRow,
  });
  return ({ workers, at }) => {
    const now = Date.parse(at);
    show(workers.listed.map((worker) => ({ ...worker, now })));
  };
}

/** @param {HTMLTableCellElement[]} cells */
function workerRow([worker, lanes, memory, tasks, running]) {
  if (!worker || !lanes || !memory || !tasks || !running) throw new Error('a worker has five cells');
  const host = el('bdi', { class: 'name' });
  const about = twoLines(worker, host);
  const marks = el('span', { class: 'lanes', 'aria-hidden': 'true' });
  const busy = twoLines(lanes, marks);
  const showMarks = listIn(marks, {
    key: ({ place }) => String(place),
    make: () => {
      const element = el('i');
      return { element, update: ({ state }) => set(element, 'data-state', state) };
    },
  });
  const list = el('ul', { class: 'running' });
  running.append(list);
  const showRunning = listIn(list, { key: ({ task }) => task.id, make: ({ task }) => runningTask(task) });
  /** @param {Worker} shown */
  return ({ id, host: name, pid, startedAt, version, families, lanes: all, memoryBytes, held, running: some, now }) => {
    say(host, name);
    host.title = `${id}, version ${version}, since ${fullTime(startedAt)}`;
    say(about, `up ${roughly(now - Date.parse(startedAt))} · pid ${pid} · ${families.join(', ')}`);
    showMarks(all.map(({ state }, place) => ({ state, place })));
    say(busy, lanesInWords(all));
    say(memory, bytes(memoryBytes));
    say(tasks, count(held));
    showRunning(some.map((task) => ({ task, now })));
    list.dataset['empty'] = String(some.length === 0);
  };
}

/** @param {Worker['lanes']} lanes */
function lanesInWords(lanes) {
  const order = /** @type {const} */ (['busy', 'idle', 'starting', 'dead', 'stopped']);
  const words = order.flatMap((state) => {
    const many = lanes.filter((lane) => lane.state === state).length;
    return many === 0 ? [] : [`${many} ${state}`];
  });
  return words.length === 0 ? 'none' : words.join(', ');
}

/** @param {Worker['running'][number]} task */
function runningTask({ id, type }) {
  const since = el('span', { class: 'muted' });
  return {
    element: el('li', {}, explainLink(id, type), since),
    /** @param {{ task: Worker['running'][number], now: number }} shown */
    update({ task, now }) {
      const again = task.attempt > 1 ? `, attempt ${task.attempt}` : '';
      say(since, `${duration(Math.max(0, now - Date.parse(task.since)))}${again}`);
    },
  };
}

/**
 * What is computed together: calls of lanes, by task type.
 * @param {HTMLElement} parent
 * @returns {(overview: Overview) => void}
 */
export function callsIn(parent) {
  /** @type {(calls: readonly (Calls & { overMs: number | null })[]) => void} */
  const show = tableIn(parent, {
    label: 'Batches',
    columns: [
      { title: 'Task type', width: 38, className: 'wide' },
      { title: 'Items', width: 21, className: 'number' },
      { title: 'A batch', width: 19, className: 'number' },
      { title: 'Full', width: 22, className: 'fill' },
    ],
    key: ({ type }) => type,
    make: callsRow,
  });
  return ({ calls: { types, overMs } }) => show(types.map((one) => ({ ...one, overMs })));
}

/** @param {HTMLTableCellElement[]} cells */
function callsRow([type, items, size, fill]) {
  if (!type || !items || !size || !fill) throw new Error('calls have four cells');
  const name = el('bdi', { class: 'name' });
  const about = twoLines(type, name);
  const many = el('span');
  const per = twoLines(items, many);
  const together = el('span');
  const tasks = twoLines(size, together);
  const full = el('span');
  const meter = bar('How full a batch is');
  fill.append(el('span', { class: 'with-bar' }, full, meter.element));
  /** @param {Calls & { overMs: number | null }} shown */
  return ({ type: text, calls, items: all, itemsPerCall, tasksPerCall, fill: share, secondsPerCall, overMs }) => {
    say(name, text);
    say(about, `${amount(calls, 'batch', 'batches')} of ${duration(secondsPerCall * 1000)}`);
    say(many, count(all));
    say(per, overMs === null ? 'in all' : `${rate((all / overMs) * 1000)} a second`);
    say(together, mean(itemsPerCall, 'item'));
    say(tasks, `of ${mean(tasksPerCall, 'task')}`);
    say(full, percent(share));
    meter.fill(share, percent(share));
  };
}

/**
 * @param {number} value
 * @param {string} one
 */
function mean(value, one) {
  return Math.round(value * 10) === 10 ? `1 ${one}` : `${rate(value)} ${one}s`;
}

import { actionButton, post } from './actions.js';
import { hourChart } from './chart.js';
import { el, listIn, say, set } from './dom.js';
import { count, duration, inLastMinute, none, rate } from './format.js';

/** @typedef {import('./feed.js').Overview} Overview */
/** @typedef {Overview['queues'][number]} Queue */
/** @typedef {{ queue: Queue, rate: Overview['rates'][number] | undefined, now: number }} Family */

const minutes = 60;

/**
 * A card for the queue of each family.
 * @param {HTMLElement} parent
 * @returns {(overview: Overview) => void}
 */
export function familiesIn(parent) {
  /** @type {(families: readonly Family[]) => void} */
  const show = listIn(parent, { key: ({ queue }) => queue.family, make: ({ queue }) => card(queue.family) });
  return ({ queues, rates, at }) => {
    const now = Date.parse(at);
    show(queues.map((queue) => ({ queue, rate: rates.find(({ family }) => family === queue.family), now })));
  };
}

/** @param {Queue['family']} family */
function card(family) {
  const title = el('h3', { id: `family-${family}` }, family);
  const state = el('span', { class: 'state' });
  const button = pauseButton(family);
  const speed = el('strong', { class: 'speed' });
  const peak = el('span', { class: 'muted' });
  const chart = hourChart(family, minutes);
  const counts = figures(['Queued', 'Running', 'Scheduled', 'Succeeded', 'Failed'], 'counts');
  set(counts.titles[4] ?? title, 'title', 'Failed, cancelled or expired');
  const facts = figures(['Oldest waiting', 'Empty in', 'Workers', 'By priority'], 'facts');
  const element = el(
    'article',
    { class: 'panel family', 'aria-labelledby': `family-${family}` },
    el('div', { class: 'head' }, title, state, button.element),
    el('p', { class: 'speed-line' }, el('span', {}, speed, ' in the last minute'), peak),
    chart.element,
    el('p', { class: 'axis', 'aria-hidden': 'true' }, el('span', {}, '60 min ago'), el('span', {}, 'now')),
    counts.element,
    facts.element,
  );
  return {
    element,
    /** @param {Family} shown */
    update({ queue, rate: ended, now }) {
      button.update(queue.paused);
      showState(state, queue);
      const { queued, running, scheduled, succeeded, failed } = queue.counts;
      counts.show([queued, running, scheduled, succeeded, failed].map(count));
      facts.show(factsOf(queue));
      if (ended === undefined) return;
      chart.update(ended, now);
      const byMinute = ended.succeeded.map((one, minute) => one + (ended.failed[minute] ?? 0));
      const lately = inLastMinute(byMinute, now);
      const most = Math.max(lately, ...byMinute);
      say(speed, rate(lately));
      say(peak, most === 0 ? 'none in 60 min' : `peak ${count(most)} in 60 min`);
    },
  };
}

/** @param {Queue['family']} family */
function pauseButton(family) {
  let paused = false;
  const element = actionButton({ class: 'pause' }, async () => {
    const act = paused ? 'resume' : 'pause';
    const answer = await post(`/v1/queues/${family}/${act}`);
    update(answer.paused);
    return answer.paused ? `${family} is paused. What runs goes on.` : `${family} goes on.`;
  });
  /** @param {boolean} isPaused */
  const update = (isPaused) => {
    paused = isPaused;
    say(element, isPaused ? 'Resume' : 'Pause');
    set(element, 'aria-label', `${isPaused ? 'Resume' : 'Pause'} ${family}`);
  };
  update(false);
  return { element, update };
}

/**
 * @param {HTMLElement} element
 * @param {Queue} queue
 */
function showState(element, { paused, workers, counts }) {
  const [tone, word] = paused
    ? ['warn', 'paused']
    : workers === 0
      ? [counts.queued > 0 ? 'bad' : 'off', 'no worker']
      : counts.running > 0
        ? ['fine', 'working']
        : ['off', 'idle'];
  element.dataset['tone'] = tone;
  say(element, word);
}

/** @param {Queue} queue */
function factsOf({ oldestWaitingMs, drainMs, counts, workers, wantedWorkers, waiting }) {
  const isEmpty = counts.queued + counts.running === 0;
  const wanted = workers < wantedWorkers ? `${count(workers)} of ${count(wantedWorkers)} wanted` : count(workers);
  const classes = waiting
    .filter(({ tasks }) => tasks > 0)
    .map(({ name, priority, tasks }) => `${name ?? (priority === 0 ? 'returning' : priority)} ${count(tasks)}`);
  return [
    oldestWaitingMs === null ? none : duration(oldestWaitingMs),
    isEmpty ? none : drainMs === null ? 'not known' : `about ${duration(drainMs)}`,
    wanted,
    classes.length === 0 ? none : classes.slice(0, 4).join(', '),
  ];
}

/**
 * @param {readonly string[]} names
 * @param {string} className
 */
function figures(names, className) {
  const titles = names.map((name) => el('dt', {}, name));
  const values = names.map(() => el('dd', {}, none));
  const pairs = titles.map((title, index) => el('div', {}, title, values[index] ?? ''));
  return {
    element: el('dl', { class: className }, ...pairs),
    titles,
    /** @param {readonly string[]} texts */
    show(texts) {
      values.forEach((value, index) => {
        say(value, texts[index] ?? none);
      });
    },
  };
}

/**
 * How many tasks there ever were, as far as it is remembered.
 * @param {Overview} overview
 */
export function tasksKnown({ queues }) {
  return queues.reduce((all, { counts }) => all + Object.values(counts).reduce((some, one) => some + one, 0), 0);
}

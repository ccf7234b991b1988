import { el, say } from './dom.js';
import { amount, bytes, count, duration, inLastMinute, none, percent, rate } from './format.js';
import { bar } from './table.js';

/** @typedef {import('./feed.js').Overview} Overview */

/**
 * The six figures at the head of the page.
 * @param {HTMLElement} parent
 * @returns {(overview: Overview) => void}
 */
export function vitalsIn(parent) {
  const waiting = vital(parent, 'Waiting');
  const running = vital(parent, 'Running');
  const ended = vital(parent, 'Ended in the last minute');
  const failed = vital(parent, 'Failed in the last hour');
  const workers = vital(parent, 'Workers');
  const memory = vital(parent, 'Redis memory');
  const meter = bar('Memory of Redis');
  memory.element.append(meter.element);
  return ({ queues, rates, workers: living, redis, at }) => {
    const oldest = Math.max(-1, ...queues.map(({ oldestWaitingMs }) => oldestWaitingMs ?? -1));
    waiting.show(count(sum(queues, 'queued')), oldest < 0 ? 'nothing waits' : `oldest for ${duration(oldest)}`);
    running.show(count(sum(queues, 'running')), `${count(sum(queues, 'scheduled'))} scheduled for later`);
    const byMinute = minutesOf(rates);
    const lately = inLastMinute(byMinute, Date.parse(at));
    ended.show(rate(lately), `peak ${count(Math.max(lately, ...byMinute))} in 60 min`);
    const all = byMinute.reduce((some, one) => some + one, 0);
    const fell = rates.reduce((some, { failed: each }) => each.reduce((more, one) => more + one, some), 0);
    failed.show(count(fell), all === 0 ? 'nothing has ended' : `${percent(fell / all)} of what ended`);
    failed.mark(fell > 0 ? 'warn' : '');
    const wanted = Math.max(...queues.map(({ wantedWorkers }) => wantedWorkers));
    workers.show(count(living.total), living.total < wanted ? `${count(wanted)} wanted` : 'enough for what waits');
    workers.mark(living.total === 0 ? 'bad' : living.total < wanted ? 'warn' : '');
    showMemory(redis, memory, meter);
  };
}

/**
 * @param {Overview['redis']} redis
 * @param {Vital} memory
 * @param {ReturnType<typeof bar>} meter
 */
function showMemory({ usedBytes, limitBytes, refusedFromBytes }, memory, meter) {
  const most = limitBytes ?? refusedFromBytes;
  if (most === null) {
    memory.show(bytes(usedBytes), 'no maxmemory is set');
    meter.fill(0, `${bytes(usedBytes)}, without a limit`);
    return;
  }
  const share = usedBytes / most;
  const refused = refusedFromBytes === null ? '' : `, full from ${bytes(refusedFromBytes)}`;
  memory.show(percent(share), `${bytes(usedBytes)} of ${bytes(most)}`);
  memory.mark(usedBytes >= (refusedFromBytes ?? most) ? 'bad' : share > 0.7 ? 'warn' : '');
  meter.fill(share, `${bytes(usedBytes)} of ${bytes(most)}${refused}`);
}

/** @typedef {ReturnType<typeof vital>} Vital */

/**
 * @param {HTMLElement} parent
 * @param {string} title
 */
function vital(parent, title) {
  const value = el('dd', { class: 'value' }, none);
  const about = el('dd', { class: 'about' }, ' ');
  const element = el('div', { class: 'vital' }, el('dt', {}, title), value, about);
  parent.append(element);
  return {
    element,
    /** @param {string} text @param {string} more */
    show(text, more) {
      say(value, text);
      say(about, more);
    },
    /** @param {'' | 'warn' | 'bad'} tone */
    mark(tone) {
      element.dataset['tone'] = tone;
    },
  };
}

/**
 * @param {Overview['queues']} queues
 * @param {keyof Overview['queues'][number]['counts']} state
 */
function sum(queues, state) {
  return queues.reduce((all, { counts }) => all + counts[state], 0);
}

/**
 * Tasks that ended, by minute, of all families together.
 * @param {Overview['rates']} rates
 */
function minutesOf(rates) {
  const minutes = rates[0]?.succeeded.length ?? 0;
  return Array.from({ length: minutes }, (_, minute) =>
    rates.reduce((all, { succeeded, failed }) => all + (succeeded[minute] ?? 0) + (failed[minute] ?? 0), 0),
  );
}

/**
 * What somebody should look at, in sentences.
 * @param {Overview} overview
 * @returns {{ tone: 'warn' | 'bad' | 'fine', text: string }[]}
 */
export function attentionOf({ queues, workers, redis, runs, collections }) {
  /** @type {{ tone: 'warn' | 'bad' | 'fine', text: string }[]} */
  const notes = [];
  for (const { family, paused, counts, workers: living, wantedWorkers } of queues) {
    const waits = counts.queued === 0 ? 'nothing waits' : `${amount(counts.queued, 'task')} waiting`;
    if (paused) notes.push({ tone: 'warn', text: `${family} is paused, ${waits}.` });
    else if (living === 0 && counts.queued > 0) notes.push({ tone: 'bad', text: `No worker for ${family}, ${waits}.` });
    else if (living > 0 && living < wantedWorkers)
      notes.push({ tone: 'warn', text: `${family} wants ${count(wantedWorkers)} workers and has ${count(living)}.` });
  }
  const dead = workers.listed.reduce((all, { lanes }) => all + lanes.filter(({ state }) => state === 'dead').length, 0);
  if (dead > 0) notes.push({ tone: 'bad', text: `${amount(dead, 'lane')} of workers died.` });
  if (redis.refusedFromBytes !== null && redis.usedBytes >= redis.refusedFromBytes)
    notes.push({ tone: 'bad', text: 'Redis is full: no task is accepted.' });
  if (redis.limitBytes === null && redis.refusedFromBytes === null)
    notes.push({ tone: 'warn', text: 'Redis has no maxmemory: nothing stops it from filling the machine.' });
  const blocked = runs.listed.filter(({ progress }) => progress.blocked !== null).length;
  if (blocked > 0) notes.push({ tone: 'warn', text: `${amount(blocked, 'run')} cannot go on at the moment.` });
  const low = collections.listed.filter(({ recall }) => recall !== null && recall < 0.95).length;
  if (low > 0) notes.push({ tone: 'warn', text: `${amount(low, 'collection')} with a recall below 0.95.` });
  return notes.length === 0 ? [{ tone: 'fine', text: 'Nothing needs your attention.' }] : notes;
}

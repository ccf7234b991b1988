import { collectionsIn } from './collections.js';
import { commandsFor, empty } from './commands.js';
import { byId, el, listIn, say } from './dom.js';
import { failuresIn } from './failures.js';
import { familiesIn, tasksKnown } from './families.js';
import { follow } from './feed.js';
import { amount, count, duration } from './format.js';
import { runsIn } from './runs.js';
import { attentionOf, vitalsIn } from './vitals.js';
import { callsIn, workersIn } from './workers.js';

/** @typedef {import('./feed.js').Overview} Overview */
/** @typedef {import('./feed.js').Connection} Connection */

/** An age below this says nothing, in ms. */
const freshMs = 3000;

/** @type {{ at: number, connection: Connection, word: string }} */
const seen = { at: 0, connection: 'connecting', word: '' };

const connections = {
  connecting: 'Connecting',
  live: 'Live',
  away: 'Redis does not answer',
  lost: 'Connection lost, trying again',
  locked: 'The API wants a key: load the page again',
};

const showVitals = vitalsIn(byId('vitals'));
const showFamilies = familiesIn(byId('families'));
const showAttention = listIn(byId('attention'), {
  key: ({ text }) => text,
  make: ({ tone, text }) => ({ element: el('li', { 'data-tone': tone }, text), update: () => {} }),
});

/** Sections that may have nothing to show. */
const sections = [
  section({
    id: 'workers',
    into: workersIn,
    isEmpty: ({ workers }) => workers.total === 0,
    instead: ({ worker }) =>
      empty('No worker lives: tasks are accepted and wait. Start some on any machine that reaches Redis.', worker),
    note: ({ workers }) => noteOfList(workers, 'worker'),
  }),
  section({
    id: 'calls',
    into: callsIn,
    isEmpty: ({ calls }) => calls.types.length === 0,
    instead: () =>
      empty('Nothing was computed lately. Tasks that arrive together share a batch, and this says how well.'),
    note: ({ calls: { overMs } }) =>
      overMs === null ? 'since the workers started' : `in the last ${duration(overMs)}`,
  }),
  section({
    id: 'runs',
    into: runsIn,
    isEmpty: ({ runs }) => runs.listed.length === 0,
    instead: ({ run }) => empty('No run yet. A run takes a file of requests and gives a file of answers.', run),
    note: () => '',
  }),
  section({
    id: 'collections',
    into: collectionsIn,
    isEmpty: ({ collections }) => collections.total === 0,
    instead: ({ collection }) => empty('No collection yet. A collection keeps points to search among.', collection),
    note: ({ collections }) => noteOfList(collections, 'collection'),
  }),
  section({
    id: 'failures',
    into: failuresIn,
    isEmpty: ({ failures }) => failures.groups.length === 0,
    instead: () => empty('No task has failed, as far back as failures are remembered.'),
    note: ({ failures: { examined, total } }) =>
      examined < total ? `of the newest ${count(examined)} of ${count(total)}` : '',
  }),
];

/**
 * @param {{
 *   id: string,
 *   into(parent: HTMLElement): (overview: Overview) => void,
 *   isEmpty(overview: Overview): boolean,
 *   instead(commands: ReturnType<typeof commandsFor>): HTMLElement,
 *   note(overview: Overview): string,
 * }} parts
 * @returns {(overview: Overview) => void}
 */
function section({ id, into, isEmpty, instead, note }) {
  const full = el('div');
  const nothingThere = el('div');
  byId(id).append(full, nothingThere);
  const show = into(full);
  return (overview) => {
    const nothing = isEmpty(overview);
    full.hidden = nothing;
    nothingThere.hidden = !nothing;
    if (nothing && nothingThere.firstChild === null) nothingThere.append(instead(commandsFor(overview.keys)));
    show(overview);
    say(byId(`${id}-note`), nothing ? '' : note(overview));
  };
}

/**
 * @param {{ total: number, listed: readonly unknown[] }} list
 * @param {string} one
 */
function noteOfList({ total, listed }, one) {
  return listed.length < total ? `the first ${count(listed.length)} of ${count(total)}` : amount(total, one);
}

/** @param {Overview} overview */
function showFirstSteps(overview) {
  const place = byId('first-steps');
  place.hidden = tasksKnown(overview) > 0;
  if (place.hidden || place.firstChild !== null) return;
  place.append(empty('No task yet. Send the first, and watch it here:', commandsFor(overview.keys).task));
}

/** @param {Overview} overview */
function show(overview) {
  seen.at = performance.now();
  showVitals(overview);
  showAttention(attentionOf(overview));
  showFirstSteps(overview);
  showFamilies(overview);
  for (const showSection of sections) showSection(overview);
  const waiting = overview.queues.reduce((all, { counts }) => all + counts.queued, 0);
  const title = waiting === 0 ? 'Millrace' : `${count(waiting)} waiting · Millrace`;
  if (document.title !== title) document.title = title;
  say(byId('version'), `Millrace ${overview.version}`);
  document.body.dataset['loaded'] = 'true';
}

/** How the connection stands, said when it changes; the age of the data beside it is not read out every second. */
function showConnection() {
  const { connection, word } = seen;
  const element = byId('connection');
  element.dataset['state'] = connection;
  element.title = word;
  say(byId('connection-text'), connections[connection]);
  document.body.dataset['connection'] = connection;
  const age = seen.at === 0 ? 0 : performance.now() - seen.at;
  say(byId('age'), age < freshMs ? '' : `figures are ${duration(age)} old`);
}

follow({
  onOverview: show,
  onConnection: (connection, word = '') => {
    Object.assign(seen, { connection, word });
    showConnection();
  },
});
setInterval(showConnection, 1000);

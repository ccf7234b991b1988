import { errorTable } from '@millrace/shared/errors';
import { metricTable } from '@millrace/shared/metrics';
import { settings } from '@millrace/shared/settings';
import { licencesPage } from './licences-page.mjs';
import { tasksPage } from './tasks-page.mjs';

/**
 * The pages that are made of tables in the code, by their path from the root: `npm run docs` writes them, a test compares.
 *
 * @returns {Map<string, string>}
 */
export function generatedPages() {
  return new Map([
    ['.env.example', envExample()],
    ['docs/errors.md', errorsPage()],
    ['docs/metrics.md', metricsPage()],
    ['docs/tasks.md', tasksPage(made)],
    ['docs/licences.md', licencesPage(made.replace('the table in the code; change it there', 'package-lock.json'))],
  ]);
}

const made = 'Made by `npm run docs` from the table in the code; change it there.';

function envExample() {
  const head = ['# Every setting of Millrace, with its default. Copy it to .env and change what you need.', ''];
  const entries = Object.entries(settings).flatMap(([name, { meaning, form, default: value }]) => [
    ...wrap(meaning, 110).map((line) => `# ${line}`),
    `# Form: ${form}`,
    // A setting without a default stays a comment, and so do all: the file as it is changes nothing.
    `# ${name}=${value ?? ''}`,
    '',
  ]);
  return [...head, ...entries].join('\n');
}

function errorsPage() {
  const head = [
    '# Errors',
    '',
    made,
    '',
    'Every error has a code that does not change. Over HTTP it is an RFC 9457 problem document,',
    '`{type, title, status, detail, code, problems?}`; a failed task has it in `error`, and BullMQ as `failedReason`',
    '(`CODE: message`). `problems` lists everything that was wrong at once: `path`, `got`, `expected`, `remedy`.',
    '"Retry" says whether the same thing can succeed later; only those errors spend another attempt.',
    '',
  ];
  const sections = Object.entries(errorTable).flatMap(([code, { status, retryable, title, remedy }]) => [
    `## ${code}`,
    '',
    `${title}. HTTP ${status}. Retry: ${retryable ? 'yes' : 'no'}.`,
    '',
    `What to do: ${remedy}`,
    '',
  ]);
  return [...head, ...sections].join('\n');
}

function metricsPage() {
  const rows = Object.entries(metricTable).map(([name, { kind, labels, help }]) => {
    return `| \`${name}\` | ${kind} | ${unitOf(name)} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
  });
  return [
    '# Metrics',
    '',
    made,
    '',
    'GET /metrics of the API has its own and, with the label `worker`, those of every worker that lives.',
    '',
    '| metric | kind | unit | labels | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** What metrics measure or count, by the word in their names. */
const units = new Set(
  'seconds bytes ratio tasks items tokens values versions lines workers waiters runs deliveries restarts heals rests'.split(
    ' ',
  ),
);

/**
 * The unit of a metric, which its name says.
 *
 * @param {string} name
 */
function unitOf(name) {
  if (name.includes('_recall_')) return 'ratio';
  return name.split('_').findLast((word) => units.has(word)) ?? '1 or 0';
}

/**
 * @param {string} text
 * @param {number} width
 * @returns {string[]}
 */
function wrap(text, width) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

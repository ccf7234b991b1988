import { appendFileSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { rotateLog } from '../setup/rotate-log.mjs';

/**
 * @typedef {object} AppLog
 * @property {string} path
 * @property {(stream: import('node:stream').Readable, options?: { toPerson?: boolean }) => void} follow
 * @property {() => string[]} helpfulLines what explains an unexpected end
 */

const LARGEST_FILE = 16 * 1024 * 1024; // bytes; with the one kept before, twice that
const KEPT_LINES = 200;
const HELPFUL_LINES = 8;
const PINO_ERROR = 50;
const UNCAUGHT = /^\w*Error\b/; // its first line; the stack follows

/**
 * Where an app's output goes: its log lines (JSON) to a file, and to the terminal if asked for. What an app prints on
 * stdout that is no JSON is meant for a person, such as a new admin key that no file should keep: terminal only.
 *
 * @param {string} path
 * @param {{ print: (text: string) => void, verbose: boolean }} options
 * @returns {AppLog}
 */
export function openAppLog(path, { print, verbose }) {
  mkdirSync(dirname(path), { recursive: true });
  rotateLog(path);
  /** @type {string[]} */
  const kept = [];
  let bytes = 0;

  /** @param {string} line */
  const log = (line) => {
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
    if (verbose) print(`${line}\n`);
    if (bytes > LARGEST_FILE) rotateLog(path);
    appendFileSync(path, `${line}\n`);
    bytes = statSync(path).size;
  };

  return {
    path,
    follow(stream, { toPerson = false } = {}) {
      onLine(stream, (line) => (toPerson && !line.startsWith('{') ? print(`${line}\n`) : log(line)));
    },
    helpfulLines: () => helpful(kept),
  };
}

/**
 * @param {import('node:stream').Readable} stream
 * @param {(line: string) => void} take
 */
function onLine(stream, take) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  stream.once('end', () => {
    if (rest !== '') take(rest);
  });
}

/**
 * The messages of the last errors; without any, Node's own word on an uncaught one; else the end.
 *
 * @param {string[]} lines
 */
function helpful(lines) {
  const logged = lines.map(errorMessage).filter((message) => message !== undefined);
  if (logged.length > 0) return logged.slice(-HELPFUL_LINES);
  const uncaught = lines.findLastIndex((line) => UNCAUGHT.test(line));
  return uncaught === -1 ? lines.slice(-HELPFUL_LINES) : lines.slice(uncaught, uncaught + HELPFUL_LINES);
}

/** @param {string} line */
function errorMessage(line) {
  try {
    const { level, msg, err } = JSON.parse(line);
    if (!(level >= PINO_ERROR || level === 'error' || level === 'fatal')) return undefined;
    return [msg, err?.message].filter((text, i, all) => text && all.indexOf(text) === i).join(': ');
  } catch {
    return undefined;
  }
}

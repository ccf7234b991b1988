/**
 * The part of Redis's protocol (RESP2) that PING, AUTH, INFO and CONFIG GET need.
 *
 * @typedef {string | number | null | RedisRefusal | Reply[]} Reply
 */

/** Redis's own word that it will not: an error reply such as `NOAUTH Authentication required.` */
export class RedisRefusal extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'RedisRefusal';
  }
}

const LINE_END = '\r\n';

/**
 * @param {string[]} command
 * @returns {string} as an array of bulk strings, so that a password may hold any character
 */
export function encodeCommand(command) {
  const parts = command.map((word) => `$${Buffer.byteLength(word)}${LINE_END}${word}${LINE_END}`);
  return `*${command.length}${LINE_END}${parts.join('')}`;
}

/**
 * @param {Buffer} buffer
 * @param {number} [offset] bytes
 * @returns {{ reply: Reply, next: number } | undefined} undefined when the reply has not fully arrived yet
 */
export function decodeReply(buffer, offset = 0) {
  const end = buffer.indexOf(LINE_END, offset);
  if (end === -1) return undefined;
  const kind = String.fromCharCode(buffer[offset] ?? 0);
  const rest = buffer.toString('utf8', offset + 1, end);
  const next = end + LINE_END.length;
  if (kind === '+') return { reply: rest, next };
  if (kind === '-') return { reply: new RedisRefusal(rest), next };
  if (kind === ':') return { reply: Number(rest), next };
  if (kind === '$') return decodeBulk(buffer, next, Number(rest));
  if (kind === '*') return decodeArray(buffer, next, Number(rest));
  throw new Error('what answers is not Redis');
}

/**
 * @param {Buffer} buffer
 * @param {number} start
 * @param {number} length bytes; -1 is nil
 */
function decodeBulk(buffer, start, length) {
  if (length < 0) return { reply: null, next: start };
  const next = start + length + LINE_END.length;
  if (buffer.length < next) return undefined;
  return { reply: buffer.toString('utf8', start, start + length), next };
}

/**
 * @param {Buffer} buffer
 * @param {number} start
 * @param {number} count
 * @returns {{ reply: Reply, next: number } | undefined}
 */
function decodeArray(buffer, start, count) {
  /** @type {Reply[]} */
  const items = [];
  let next = start;
  while (items.length < count) {
    const item = decodeReply(buffer, next);
    if (item === undefined) return undefined;
    items.push(item.reply);
    next = item.next;
  }
  return { reply: items, next };
}

import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { decodeReply, encodeCommand, RedisRefusal } from './resp.mjs';

/** @typedef {import('./resp.mjs').Reply} Reply */

const DEFAULT_PORT = 6379;

/**
 * Opens a connection, sends the commands, reads their replies, closes it. The apps use ioredis; this runs before
 * anything is installed.
 *
 * @param {string} url redis:// or rediss://, with user, password and database if it needs them
 * @param {string[][]} commands
 * @param {{ timeoutMs?: number }} [options] for the whole exchange
 * @returns {Promise<Reply[]>} one per command; a reply may be a RedisRefusal
 * @throws {Error} when no connection was made, the log-in was refused or the time is over
 */
export async function askRedis(url, commands, { timeoutMs = 3000 } = {}) {
  const address = new URL(url);
  const opening = openingCommands(address);
  const replies = await exchange(address, [...opening, ...commands], timeoutMs);
  for (const reply of replies.slice(0, opening.length)) if (reply instanceof RedisRefusal) throw reply;
  return replies.slice(opening.length);
}

/**
 * @param {URL} address
 * @returns {string[][]} the log-in and the database that the address asks for
 */
function openingCommands(address) {
  const user = decodeURIComponent(address.username);
  const password = decodeURIComponent(address.password);
  const database = address.pathname.slice(1);
  const commands = [];
  if (password !== '') commands.push(user === '' ? ['AUTH', password] : ['AUTH', user, password]);
  if (database !== '' && database !== '0') commands.push(['SELECT', database]);
  return commands;
}

/**
 * @param {URL} address
 * @param {string[][]} commands
 * @param {number} timeoutMs
 * @returns {Promise<Reply[]>}
 */
function exchange(address, commands, timeoutMs) {
  const socket = openSocket(address);
  /** @type {Promise<Reply[]>} */
  const replies = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    let received = Buffer.alloc(0);
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed'));
    });
    socket.on('data', (/** @type {Buffer} */ chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        const { reply } = decodeReply(Buffer.concat([Buffer.from(`*${commands.length}\r\n`), received])) ?? {};
        if (Array.isArray(reply)) resolve(reply);
      } catch (error) {
        reject(error);
      }
    });
  });
  socket.write(commands.map(encodeCommand).join(''));
  return replies.finally(() => socket.destroy());
}

/** @param {URL} address */
function openSocket({ hostname, port, protocol }) {
  const host = hostname.replace(/^\[(.*)\]$/, '$1'); // URL keeps the brackets of an IPv6 address
  const options = { host, port: Number(port || DEFAULT_PORT) };
  return protocol === 'rediss:' ? connectTls({ ...options, servername: host }) : connect(options);
}

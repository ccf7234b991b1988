import { createServer } from 'node:net';
import { Refusal } from '../setup/refusal.mjs';

/**
 * Asked before the slow steps, so that nobody waits for an installation to learn it.
 *
 * @param {{ host: string, port: number }} address
 * @returns {Promise<void>}
 */
export function refuseTakenPort({ host, port }) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => reject(refusalFor(error, host, port)));
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

/**
 * @param {NodeJS.ErrnoException} error
 * @param {string} host
 * @param {number} port
 */
function refusalFor(error, host, port) {
  const another = `PORT=${port >= 3000 && port < 65_535 ? port + 1 : 3001} npm start`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new Refusal(`Port ${port} is taken by another program; choose one with \`${another}\`.`);
    case 'EACCES':
      return new Refusal(`Port ${port} may not be used by this user; choose one with \`${another}\`.`);
    default:
      return new Refusal(
        `HOST ${host} is no address of this machine (${error.code}); try \`HOST=127.0.0.1 npm start\`.`,
      );
  }
}

import { createServer } from 'node:net';

/**
 * @param {string} [host]
 * @returns {Promise<number>} a port that was free a moment ago; whoever uses it must be ready to lose the race
 */
export function freePort(host = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

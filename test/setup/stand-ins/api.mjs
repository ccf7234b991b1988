// Stands in for the API in the tests of `npm start`: answers /healthz and /readyz, logs JSON, ends as the apps must.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { log, stopWhenAsked, warmFile } from './app.mjs';

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  if (request.url === '/crash') {
    log(60, 'the API met its end');
    process.exit(3);
  }
  response.end(
    JSON.stringify(request.url === '/readyz' ? { worker: { warm: existsSync(warmFile()) } } : { status: 'ok' }),
  );
});

server.listen(Number(process.env['PORT']), '127.0.0.1', () => log(30, `listening, Redis ${process.env['REDIS_URL']}`));
process.stdout.write('a word for a person\n');
stopWhenAsked(() => server.close());

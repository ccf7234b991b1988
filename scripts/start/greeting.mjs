/**
 * What `npm start` prints once all is up.
 *
 * @param {{ address: string, redis: string, home: string, seconds: number, needsKey: boolean }} facts
 * @returns {string}
 */
export function greeting({ address, redis, home, seconds, needsKey }) {
  const key = needsKey ? ' -H "authorization: Bearer $KEY"' : '';
  return `
Millrace is ready after ${seconds.toFixed(1)} s.

  Page     ${address}
  API      ${address}/v1
  Docs     ${address}/docs
  Board    ${address}/board
  Metrics  ${address}/metrics
  Redis    ${redis}
  Data     ${home} (logs in logs/)

Try it:

  curl -s '${address}/v1/tasks?wait=10' -H 'content-type: application/json'${key} -d '{"type":"inference.embed","input":{"texts":["hello"]}}'

Ctrl-C stops all of it.
`;
}

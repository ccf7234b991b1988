import { tell } from './actions.js';
import { el } from './dom.js';

/** Commands for who has nothing to see yet: each runs as it stands. */

/** @param {boolean} keys whether the API asks for a key */
export function commandsFor(keys) {
  const at = location.origin;
  const key = keys ? ` -H "authorization: Bearer $MILLRACE_KEY"` : '';
  const json = ` -H 'content-type: application/json'`;
  const line = '{"custom_id":"1","method":"POST","url":"/v1/embeddings","body":{"input":"Water turns the wheel."}}';
  return {
    task: `curl -s '${at}/v1/tasks?wait=10'${key}${json} \\\n  -d '{"type":"inference.embed","input":{"texts":["Water turns the wheel."]}}'`,
    run: `file=$(echo '${line}' \\\n  | curl -s ${at}/v1/files${key} -F purpose=batch -F 'file=@-;filename=requests.jsonl' \\\n  | grep -o 'file-[A-Za-z0-9-]*' | head -1)\ncurl -s ${at}/v1/batches${key}${json} \\\n  -d "{\\"input_file_id\\":\\"$file\\",\\"endpoint\\":\\"/v1/embeddings\\",\\"completion_window\\":\\"24h\\"}"`,
    collection: `curl -s -X PUT ${at}/v1/collections/notes${key}${json} \\\n  -d '{"dimensions":384,"metric":"cosine"}'`,
    worker:
      'npm start                                   # an API, a worker and a Redis\ndocker compose up --detach --scale worker=4',
  };
}

/**
 * A place where nothing is yet: what that means, and what to do.
 * @param {string} text
 * @param {string} [command]
 */
export function empty(text, command) {
  const parts = [el('p', {}, text)];
  if (command === undefined) return el('div', { class: 'empty' }, ...parts);
  const copy = el('button', { type: 'button', class: 'copy' }, 'Copy');
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(command);
      tell('Copied.');
    } catch {
      // Only over https and on loopback a page may write there.
      getSelection()?.selectAllChildren(code);
      tell('It is selected: copy it with the keyboard.');
    }
  });
  const code = el('code', {}, command);
  const block = el('pre', { tabindex: 0, 'aria-label': 'A command for the shell' }, code);
  return el('div', { class: 'empty' }, ...parts, el('div', { class: 'command' }, block, copy));
}

#!/usr/bin/env bash
# Tries the containers as they are run for real: builds the images, starts Redis, an API and several workers, enqueues
# embeddings, kills a worker that holds some of them, and wants every task to succeed all the same. Then it enqueues as many again,
# replaces the API and all workers by a newer image while they run, and wants every task to succeed at its first attempt. In the end it
# stops everything in order and removes what it started, with its volumes; the images stay.
#
#   scripts/smoke-compose.sh [TASKS] [WORKERS]      default 2000 and 4
#
# Needs Docker with Compose 2 and Node 20 or newer. SMOKE_TIMEOUT: seconds for each wait (600). It has a project, a port and a
# key of its own and reads no .env, so a mill that runs beside it is left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

export SMOKE_TASKS="${1:-2000}" SMOKE_WORKERS="${2:-4}" SMOKE_TIMEOUT="${SMOKE_TIMEOUT:-600}"
for number in "$SMOKE_TASKS" "$SMOKE_WORKERS" "$SMOKE_TIMEOUT"; do
  [[ "$number" =~ ^[1-9][0-9]{0,5}$ ]] || fail "TASKS, WORKERS and SMOKE_TIMEOUT are whole numbers from 1, not $number"
done
[ "$SMOKE_WORKERS" -ge 2 ] || fail 'WORKERS is at least 2, for one of them is killed'
command -v node >/dev/null || fail 'node is not on PATH'
docker compose version >/dev/null 2>&1 || fail 'docker has no Compose 2; try: docker compose version'
docker info >/dev/null 2>&1 || fail 'no Docker engine answers; try: docker info'

read -r SMOKE_KEY hash PORT < <(node --eval '
  const { createHash, randomBytes } = require("node:crypto");
  const key = randomBytes(24).toString("hex");
  const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
    console.log(key, createHash("sha256").update(key).digest("hex"), server.address().port);
    server.close();
  });')
export SMOKE_KEY PORT MILLRACE_API_KEYS="smoke:enqueue:$hash" COMPOSE_PROJECT_NAME="millrace-smoke-$PORT"
export LOG_LEVEL="${LOG_LEVEL:-warn}"
said="$(mktemp)"

compose() { docker compose --env-file /dev/null "$@"; }
# The same, in silence while it goes well.
quietly() { compose "$@" >"$said" 2>&1 || fail "docker compose $1: $(tail -n 60 "$said")"; }

finish() {
  local code=$?
  trap - EXIT
  if [ "$code" != 0 ]; then
    compose ps --all >&2 || true
    compose logs --no-color --tail 50 >&2 || true
  fi
  compose down --volumes --remove-orphans --timeout 15 >"$said" 2>&1 || cat "$said" >&2
  for image in millrace-api millrace-worker; do
    if docker image inspect "$image:smoke" >/dev/null 2>&1; then
      docker tag "$image:smoke" "$image" && docker rmi "$image:smoke" >/dev/null
    fi
  done
  rm -f "$said"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The same programs in images that are not the same, as after a build of a newer version.
renew() {
  for image in millrace-api millrace-worker; do
    docker tag "$image" "$image:smoke"
    printf 'FROM %s:smoke\nLABEL smoke=newer\n' "$image" | docker build --quiet --tag "$image" - >"$said" 2>&1 ||
      fail "a newer $image: $(cat "$said")"
  done
}

# Enqueues, troubles the workers while they compute, waits and reads. TROUBLE: kill or deploy.
work() {
  SMOKE_TROUBLE="$1" node --input-type=module - <<'JS'
import { execFile, execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const { SMOKE_KEY, SMOKE_TROUBLE, PORT } = process.env;
const [tasks, workers, timeout] = ['TASKS', 'WORKERS', 'TIMEOUT'].map((name) => Number(process.env[`SMOKE_${name}`]));
const began = Date.now();
const say = (text) => console.log(`  ${((Date.now() - began) / 1000).toFixed(1)} s: ${text}`);

// Not AbortSignal.timeout: its timer does not keep Node 20 alive, where a fetch may never settle when its connection is closed
// at once, as Docker's proxy does until the API listens.
async function api(path, { body, timeoutMs = 120_000 } = {}) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error(`${path}: no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    const response = await fetch(`http://127.0.0.1:${PORT}${path}`, {
      headers: { authorization: `Bearer ${SMOKE_KEY}`, 'content-type': 'application/json' },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      signal: abort.signal,
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${(await response.text()).slice(0, 500)}`);
    return await response.json();
  } finally {
    clearTimeout(timer);
  }
}

async function until(what, look) {
  for (const end = Date.now() + timeout * 1000; Date.now() < end; await sleep(100)) {
    // An API that is being replaced does not answer.
    const seen = await look().catch((error) => {
      if (SMOKE_TROUBLE !== 'deploy') throw error;
    });
    if (seen) return seen;
  }
  throw new Error(`${what}: not within ${timeout} s`);
}

/** How many tasks are in which state. */
async function counts() {
  const { queues } = await api('/v1/queues');
  const { counts: seen } = queues.find(({ family }) => family === 'inference');
  if (seen.failed > 0) throw new Error(`${seen.failed} tasks failed`);
  return seen;
}

function text(n) {
  const words = 'the wheel turns as long as water runs and grain lies between two stones in an old mill by a river'.split(' ');
  return Array.from({ length: 5 + ((n * 7) % 90) }, (_, i) => words[(n + i * i) % words.length]).join(' ');
}

async function enqueue() {
  const all = Array.from({ length: tasks }, (_, n) => ({
    type: 'inference.embed',
    input: { texts: [`${SMOKE_TROUBLE} ${n}: ${text(n)}`] },
  }));
  const ids = [];
  for (let start = 0; start < tasks; start += 5000) {
    const { refused, items } = await api('/v1/tasks/bulk', { body: { tasks: all.slice(start, start + 5000) } });
    if (refused > 0) throw new Error(`refused: ${JSON.stringify(items.find(({ error }) => error))}`);
    ids.push(...items.map(({ id }) => id));
  }
  say(`${ids.length} tasks are enqueued`);
  return ids;
}

/** Replaces the containers by those of the newer images while about half of what was enqueued waits. */
async function deploy(ids) {
  await until('some tasks are done', async () => (await api(`/v1/tasks/${ids[Math.floor(ids.length / 10)]}`)).state === 'succeeded');
  const before = new Set((await api('/v1/workers')).workers.map(({ id }) => id));
  say('the newer images are deployed');
  const up = ['compose', '--env-file', '/dev/null', 'up', '--detach', '--no-deps', '--scale', `worker=${workers}`, 'api', 'worker'];
  await promisify(execFile)('docker', up);
  const there = await until('new workers are there', async () => {
    const { workers: alive } = await api('/v1/workers');
    return alive.length === workers && alive.every(({ id }) => !before.has(id)) && alive;
  });
  const { succeeded } = await counts();
  say(`${there.length} new workers are there; ${succeeded} tasks have succeeded by now`);
}

/**
 * Kills a worker when about half of what waits is done: the one that takes the task in the middle. The start of its id is its
 * host, which is its container. Returns its id and the tasks that it held: they show as running until their locks lapse.
 */
async function killOne(ids) {
  const middle = Math.min(ids.length - 1, Math.floor(((await counts()).succeeded + ids.length) / 2));
  const worker = await until('half of the tasks are taken', async () => (await api(`/v1/tasks/${ids[middle]}`)).worker);
  execFileSync('docker', ['kill', '--signal', 'KILL', worker.split('-')[0]]);
  const near = await readEach(ids.slice(Math.max(0, middle - 1000), middle + 1000));
  const held = near.filter((task) => task.state === 'running' && task.worker === worker).map(({ id }) => id);
  if (held.length === 0) throw new Error('the worker that was killed held nothing; take more TASKS');
  say(`a worker that held ${held.length} tasks is killed; ${(await counts()).succeeded} have succeeded by now`);
  return { worker, held };
}

async function readEach(ids) {
  const left = [...ids];
  const seen = [];
  const readOn = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) seen.push(await api(`/v1/tasks/${id}`));
  };
  await Promise.all(Array.from({ length: 8 }, readOn));
  return seen;
}

await until('all workers are warm', async () => {
  // An API that has just started does not answer yet.
  const { workers: alive } = await api('/v1/workers', { timeoutMs: 2000 }).catch(() => ({ workers: [] }));
  return alive.filter(({ models }) => models.some(({ warm }) => warm)).length === workers;
});
say(`${workers} workers are warm`);
const ids = await enqueue();
const { worker: killed, held } = SMOKE_TROUBLE === 'kill' ? await killOne(ids) : { worker: '', held: [], ...(await deploy(ids)) };
await until('all tasks end', async () => {
  const { scheduled, queued, running } = await counts();
  return scheduled + queued + running === 0;
});
say('all tasks have ended');
const seen = await readEach(ids);
const wrong = seen.filter(({ state, result }) => state !== 'succeeded' || result.embeddings[0].length !== 384);
if (wrong.length > 0) throw new Error(`${wrong.length} of ${tasks} are wrong: ${JSON.stringify(wrong[0])}`);
const burnt = seen.filter(({ attempt }) => attempt !== 1);
if (burnt.length > 0) throw new Error(`${burnt.length} of ${tasks} needed another attempt: ${JSON.stringify(burnt[0])}`);
if (seen.some(({ id, worker }) => worker === killed && held.includes(id))) throw new Error('a dead worker ended a task');
if (SMOKE_TROUBLE === 'kill') say(`${seen.length} tasks are read, all succeeded; others did the ${held.length}`);
else say(`${seen.length} tasks are read, all succeeded at their first attempt, by ${new Set(seen.map(({ worker }) => worker)).size} workers`);
JS
}

echo 'build'
began=$SECONDS
quietly build
echo "  $((SECONDS - began)) s"
for image in millrace-api millrace-worker; do
  echo "  $image: $(($(docker image inspect --format '{{.Size}}' "$image") / 1000000)) MB"
done

echo "start Redis, the API and $SMOKE_WORKERS workers; $SMOKE_TASKS embeddings"
quietly up --detach --scale "worker=$SMOKE_WORKERS"
work kill || fail 'the tasks did not all succeed'
# The killed one comes back: Docker does not restart what was killed on purpose.
quietly up --detach --scale "worker=$SMOKE_WORKERS"

echo 'deploy newer images while tasks run'
renew
work deploy || fail 'the deploy cost a task something'

echo 'health, as Docker sees it'
end=$((SECONDS + SMOKE_TIMEOUT))
# Redis, the API and the workers.
until health="$(compose ps --quiet | xargs docker inspect --format '{{.State.Health.Status}}' | sort | uniq -c | xargs)" &&
  [ "$health" = "$((SMOKE_WORKERS + 2)) healthy" ]; do
  [ "$SECONDS" -lt "$end" ] || fail "not all healthy within $SMOKE_TIMEOUT s: $health"
  sleep 1
done
echo "  $health"

echo 'stop'
began=$SECONDS
quietly stop
codes="$(compose ps --all --quiet api worker | xargs docker inspect --format '{{.State.ExitCode}}' | sort -n | uniq -c | xargs)"
# The API and all workers end by themselves.
[ "$codes" = "$((SMOKE_WORKERS + 1)) 0" ] || fail "exit codes, each after how many ended so: $codes"
echo "  $((SECONDS - began)) s, all by themselves"
echo 'passed'

#!/usr/bin/env bash
# Tries the containers as they are run for real: builds the images, starts Redis, an API and several workers, enqueues
# embeddings, kills a worker that holds some of them, and wants every task to succeed all the same. Then it stops everything in
# order and removes what it started, with its volume; the images stay.
#
#   scripts/smoke-compose.sh [TASKS] [WORKERS]      default 2000 and 4
#
# Needs Docker with Compose 2 and Node 20 or newer. SMOKE_TIMEOUT: seconds for each wait (600). It has a project, a port and a
# key of its own, so a mill that runs beside it is left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

for number in "${1:-2000}" "${2:-4}" "${SMOKE_TIMEOUT:-600}"; do
  [[ "$number" =~ ^[1-9][0-9]{0,5}$ ]] || fail "TASKS, WORKERS and SMOKE_TIMEOUT are whole numbers from 1, not $number"
done
workers="${2:-4}"
timeout="${SMOKE_TIMEOUT:-600}"
[ "$workers" -ge 2 ] || fail 'WORKERS is at least 2, for one of them is killed'
command -v node >/dev/null || fail 'node is not on PATH'
docker compose version >/dev/null 2>&1 || fail 'docker has no Compose 2: `docker compose version`'
docker info >/dev/null 2>&1 || fail 'no Docker engine answers: `docker info`'

folder="$(mktemp -d)"
read -r port key hash < <(node --eval '
  const { createHash, randomBytes } = require("node:crypto");
  const key = randomBytes(24).toString("hex");
  const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
    console.log(server.address().port, key, createHash("sha256").update(key).digest("hex"));
    server.close();
  });')
export PORT="$port" MILLRACE_API_KEYS="smoke:enqueue:$hash" COMPOSE_PROJECT_NAME="millrace-smoke-$port"
export SMOKE_URL="http://127.0.0.1:$port" SMOKE_KEY="$key" SMOKE_TASKS="${1:-2000}" SMOKE_IDS="$folder/ids"

# Without .env: the settings of whoever runs this are not what is tried.
compose() { docker compose --env-file /dev/null "$@"; }

finish() {
  local code=$?
  trap - EXIT
  if [ "$code" != 0 ]; then
    compose ps --all >&2 || true
    compose logs --tail 40 >&2 || true
  fi
  compose down --volumes --remove-orphans --timeout 15 >"$folder/down" 2>&1 || cat "$folder/down" >&2
  rm -rf "$folder"
  exit "$code"
}

# Runs a piece of JavaScript that asks the API: get(path), post(path, body), counts() of the inference queue.
ask() {
  node --input-type=module --eval "
    import { readFileSync, writeFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    const { SMOKE_URL: url, SMOKE_KEY: key, SMOKE_TASKS, SMOKE_IDS: idsFile } = process.env;
    const tasks = Number(SMOKE_TASKS);
    async function call(path, init) {
      const headers = { authorization: 'Bearer ' + key, 'content-type': 'application/json' };
      const response = await fetch(url + path, { headers, signal: AbortSignal.timeout(120_000), ...init });
      const text = await response.text();
      if (!response.ok) throw new Error(path + ': ' + response.status + ' ' + text.slice(0, 500));
      return JSON.parse(text);
    }
    const get = (path) => call(path);
    const post = (path, body) => call(path, { method: 'POST', body: JSON.stringify(body) });
    const counts = async () => (await get('/v1/queues')).queues.find(({ family }) => family === 'inference').counts;
    // Asks until there is an answer; while the API does not answer at all there is none.
    async function until(what, look) {
      const end = Date.now() + $timeout * 1000;
      for (let seen; ; await sleep(100)) {
        const answer = await look().catch((error) => { seen = error.message; });
        if (answer) return answer;
        if (Date.now() > end) throw new Error(what + ': not within $timeout s; ' + seen);
      }
    }
    $1"
}

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo 'build'
began=$SECONDS
compose build --quiet
echo "  $((SECONDS - began)) s"
for image in millrace-api millrace-worker; do
  echo "  $image: $(($(docker image inspect --format '{{.Size}}' "$image") / 1000000)) MB"
done

echo "start Redis, the API and $workers workers"
began=$SECONDS
compose up --detach --scale "worker=$workers" >"$folder/up" 2>&1 || fail "docker compose up: $(cat "$folder/up")"
ask "await until('all workers are warm', async () => {
  const { workers } = await get('/v1/workers');
  return workers.filter(({ models }) => models.some(({ warm }) => warm)).length === $workers;
});"
echo "  all warm after $((SECONDS - began)) s"

echo "enqueue $SMOKE_TASKS embeddings"
began=$SECONDS
ask '
  const words = "the wheel turns as long as water runs and grain lies between two stones in an old mill by a river".split(" ");
  const text = (n) => `Text ${n}: ` + Array.from({ length: 5 + ((n * 7) % 90) }, (_, i) => words[(n + i * i) % words.length]).join(" ");
  const all = Array.from({ length: tasks }, (_, n) => ({ type: "inference.embed", input: { texts: [text(n)] } }));
  const ids = [];
  for (let start = 0; start < tasks; start += 5000) {
    const { refused, items } = await post("/v1/tasks/bulk", { tasks: all.slice(start, start + 5000) });
    if (refused > 0) throw new Error("refused: " + JSON.stringify(items.find(({ error }) => error)));
    ids.push(...items.map(({ id }) => id));
  }
  writeFileSync(idsFile, ids.join("\n"));' &
enqueuing=$!
# Killed while the tasks still come in, so that there is work to lose on a fast machine too.
victim="$(ask '
  const { host } = await until("a worker has ended some tasks and holds others", async () => {
    if ((await counts()).succeeded === 0) return;
    const { workers } = await get("/v1/workers");
    return workers.filter(({ held }) => held > 0).sort((a, b) => b.held - a.held)[0];
  });
  console.log(host);')"
docker kill --signal KILL "$victim" >/dev/null
wait "$enqueuing"
ask 'const { succeeded, queued, running } = await counts();
  console.log(`  killed a worker; now ${succeeded} succeeded, ${queued} wait, ${running} are held`);'
ask 'await until("all tasks end", async () => {
  const { scheduled, queued, running, succeeded, failed } = await counts();
  return scheduled + queued + running === 0 && succeeded + failed > 0;
});'
echo "  all ended $((SECONDS - began)) s after the first was sent"
ask '
  const ids = readFileSync(idsFile, "utf8").split("\n");
  const seen = [];
  const readOn = async () => { for (let id = ids.pop(); id !== undefined; id = ids.pop()) seen.push(await get(`/v1/tasks/${id}`)); };
  await Promise.all(Array.from({ length: 8 }, readOn));
  const wrong = seen.filter(({ state, result }) => state !== "succeeded" || result.embeddings[0].length !== 384);
  if (wrong.length > 0 || seen.length !== tasks) throw new Error(`${wrong.length} of ${seen.length}: ` + JSON.stringify(wrong[0]));
  const again = seen.filter(({ attempt }) => attempt > 1).length;
  console.log(`  ${seen.length} of ${tasks} succeeded, ${again} of them by another worker than the one that had begun them`);'

echo 'wait until Docker calls all that still run healthy'
began=$SECONDS
until health="$(compose ps --quiet | xargs docker inspect --format '{{.State.Health.Status}}' | sort | uniq -c | xargs)" &&
  [ "$health" = "$((workers + 1)) healthy" ]; do
  [ $((SECONDS - began)) -lt "$timeout" ] || fail "not all healthy within $timeout s: $health"
  sleep 1
done
echo "  $health"

echo 'stop'
began=$SECONDS
compose stop >"$folder/stop" 2>&1 || fail "docker compose stop: $(cat "$folder/stop")"
codes="$(compose ps --all --quiet api worker | xargs docker inspect --format '{{.State.ExitCode}}' | sort -n | uniq -c | xargs)"
# The API and all workers but the killed one end by themselves.
[ "$codes" = "$workers 0 1 137" ] || fail "exit codes (how often, which): $codes"
echo "  $((SECONDS - began)) s, in order"

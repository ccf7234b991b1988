# The images of Millrace: targets `api` and `worker`; docker-compose.yml builds and runs both. Plain syntax: it builds with
# BuildKit and without.

FROM node:24-slim AS base
WORKDIR /millrace

# What npm needs to know of the workspaces. A new workspace needs its line here, or npm ci refuses the lock file.
FROM base AS manifests
# ONNX Runtime's CPU binaries are in its npm package: its install script would only fetch CUDA's (npm 10 asks this variable).
# Native modules are compiled against the headers that come with this Node, so that none are fetched.
ENV npm_config_onnxruntime_node_install=skip npm_config_nodedir=/usr/local npm_config_update_notifier=false
COPY package.json package-lock.json .npmrc ./
COPY packages/shared/package.json packages/shared/
COPY packages/client/package.json packages/client/
# npm links the command `millrace` to it.
COPY packages/client/bin packages/client/bin
COPY apps/api/package.json apps/api/
COPY apps/worker/package.json apps/worker/

# The compiler and the types: nothing that is installed here runs later, so no install script has to run either.
FROM manifests AS build
ENV TURBO_TELEMETRY_DISABLED=1
RUN npm ci --ignore-scripts
COPY turbo.json tsconfig.base.json tsconfig.json ./
COPY packages packages
COPY apps apps
RUN npm run build

FROM manifests AS api-modules
# The API needs nothing that is optional: those are packages that the client has adapters for (LangChain, the AI SDK). TypeScript
# comes along as the optional peer of a package that only has types for it (valibot).
RUN npm ci --omit=dev --omit=optional --workspace=@millrace/api \
 && rm -rf node_modules/typescript node_modules/@typescript node_modules/.bin

FROM manifests AS worker-modules
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential python3 \
 && rm -rf /var/lib/apt/lists/*
RUN npm ci --omit=dev --workspace=@millrace/worker
# hnswlib-node is optional: npm says nothing when it does not compile, and the image would lack the vector family. Left out are
# ONNX Runtime for browsers and for other systems (over 300 MB), and what compiling left behind.
RUN node --eval "require('hnswlib-node')" \
 && rm -rf node_modules/onnxruntime-web node_modules/hnswlib-node/build/Release/obj.target \
 && find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d \
      ! -path "*/linux/$(node --print process.arch)" -exec rm -rf {} +

# What both images share. The files are root's and the process is not root: it cannot change its own program.
FROM base AS runtime
ENV NODE_ENV=production
USER node
STOPSIGNAL SIGTERM

FROM runtime AS api
# Files and the outputs of runs outlive the container in a volume (or in a bucket: FILES_S3).
USER root
RUN mkdir /files && chown node:node /files
USER node
ENV FILES_DIR=/files
# Nobody reaches a container's loopback, so the API listens on all addresses and asks for a key (MILLRACE_API_KEYS).
ENV HOST=0.0.0.0 PORT=3000
EXPOSE 3000
COPY --from=api-modules /millrace ./
COPY --from=build /millrace/packages/shared/lua packages/shared/lua
COPY --from=build /millrace/packages/shared/dist packages/shared/dist
COPY --from=build /millrace/packages/client/dist packages/client/dist
COPY --from=build /millrace/apps/api/dist apps/api/dist
COPY --from=build /millrace/apps/api/page apps/api/page
# Whether the process answers. Whether Redis does is /readyz: a restart of the API would not mend it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "--eval", "\
fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then(({ status }) => { \
  console.log(status); \
  process.exit(status === 200 ? 0 : 1); \
})"]
CMD ["node", "apps/api/dist/main.js"]

FROM runtime AS worker
# Snapshots of collections; a volume that is mounted here first takes its owner over.
USER root
RUN mkdir /snapshots && chown node:node /snapshots
USER node
ENV SNAPSHOTS_DIR=/snapshots
# Models are data: those that ALLOW_REMOTE_MODELS lets come are put beside the bundled one.
COPY --chown=node:node models models
COPY --from=worker-modules /millrace ./
COPY --from=build /millrace/packages/shared/lua packages/shared/lua
COPY --from=build /millrace/packages/shared/dist packages/shared/dist
COPY --from=build /millrace/apps/worker/dist apps/worker/dist
# Whether this container's worker is warm and its main thread runs: its heartbeat in Redis is fresh (it lapses after 12 s).
# While Redis is away nobody can tell, and that is not the worker's fault: it keeps what it has computed until Redis is back,
# so whoever restarts unhealthy containers would only lose work. Redis has a check of its own.
HEALTHCHECK --interval=20s --timeout=10s --start-period=60s --retries=3 CMD ["node", "--input-type=module", "--eval", "\
import { hostname } from 'node:os'; \
import { readSettings } from '@millrace/shared/env'; \
import { connectRedis } from '@millrace/shared/redis/connection'; \
import { createKeys } from '@millrace/shared/redis/keys'; \
import { WorkerRegistry } from '@millrace/shared/redis/workers'; \
const { REDIS_URL: url, MILLRACE_PREFIX: prefix } = readSettings(['REDIS_URL', 'MILLRACE_PREFIX']); \
const log = { info() {}, warn() {} }; \
const redis = connectRedis({ url, role: 'producer', name: 'millrace:health', log }); \
try { \
  const workers = await new WorkerRegistry(redis, createKeys(prefix)).list(); \
  const own = workers.find(({ host }) => host === hostname()); \
  console.log(own ? 'last heartbeat ' + own.beatAt : 'no fresh heartbeat'); \
  process.exit(own ? 0 : 1); \
} catch (error) { \
  console.log('no heartbeat can be read: ' + error.message); \
  process.exit(0); \
}"]
CMD ["node", "apps/worker/dist/main.js"]

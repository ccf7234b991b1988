import { Millrace } from '@millrace/client';
import type { InputOf } from '@millrace/client/known-types';
import type { QueueTelemetry } from '@millrace/shared/queues';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../setup/otlp-receiver.ts';
import { startApi, startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
/** Stands in every text, tag and answer of these tests, and must stand in no span. */
const secret = 'quernstone';
const waitMs = 30_000;
const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });

/** Says at the end of a process which modules of OpenTelemetry it had loaded, but for its small API, which prom-client brings along. */
const tellModules = `--import=data:text/javascript,${encodeURIComponent(`
import module from 'node:module';
process.on('exit', () => console.log(JSON.stringify({
  event: 'modules', pid: process.pid, otel: Object.keys(module._cache).filter((path) => /@opentelemetry.(?!api.)|bullmq-otel/.test(path)),
})));`)}`;

async function openMill(env: Record<string, string>) {
  const prefix = ownPrefix();
  const options = {
    redisUrl,
    prefix,
    env: { INFERENCE_LANES: '1', LOG_LEVEL: 'info', NODE_OPTIONS: tellModules, ...env },
  };
  const [api, worker] = await Promise.all([startApi(options), startWorker(options)]);
  /** Ends both, so that all is sent. */
  const end = async () => {
    await Promise.all([api.stop(), worker.stop()]);
  };
  return { api, worker, prefix, end };
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as { id: string; state: string } };
}

const modulesOf = ({ lines, pid }: TestProcess) =>
  lines.find((line) => line.event === 'modules' && line['pid'] === pid)?.['otel'] as string[];

let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(stopProcesses);
afterAll(async () => {
  await receiver.close();
  connection.disconnect();
});

const spansOf = (traceId: string) => receiver.spans.filter((span) => span.traceId === traceId);

function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.filter((span) => span.name === name);
  expect(found.length, `spans named ${name} among ${spans.map((span) => span.name).join(', ')}`).toBe(1);
  return found[0] as ReceivedSpan;
}

describe('With OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  const env = { OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test' };

  it('a task is one trace from the request to its settlement, in the trace of who sent it', async () => {
    const mill = await openMill({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const traceId = 'af7651916cd43dd8448eb211c80319c1';
    const caller = 'b7ad6b7169203331';
    const task = { type: 'inference.embed', input: { texts: [`${secret} one`, `${secret} two`] }, tags: [secret] };
    const key = { 'idempotency-key': 'once' };
    const traceparent = `00-${traceId}-${caller}-01`;
    const { status, body } = await post(`${mill.api.url}/v1/tasks?wait=30`, task, { traceparent, ...key });
    expect([status, body.state]).toEqual([200, 'succeeded']);
    // Sent again it is the same task, whatever trace it is in.
    const again = await post(`${mill.api.url}/v1/tasks?wait=30`, task, key);
    expect(again.body.id).toBe(body.id);
    await mill.end();

    const spans = spansOf(traceId);
    const request = only(spans, 'POST /v1/tasks');
    const added = only(spans, 'add inference.inference.embed');
    const queued = only(spans, 'queued');
    const taken = only(spans, 'task inference.embed');
    const batched = only(spans, 'batched');
    const call = only(spans, 'call');
    const settle = only(spans, 'settle');
    expect(spans).toHaveLength(7);
    expect(request).toMatchObject({ parentSpanId: caller, kind: 2, service: 'millrace-api', failed: false });
    expect(request.facts).toMatchObject({ 'http.response.status_code': 200, 'millrace.task.id': body.id });
    expect(added.parentSpanId).toBe(request.spanId);
    expect([queued.parentSpanId, taken.parentSpanId]).toEqual([added.spanId, added.spanId]);
    for (const part of [batched, call, settle]) expect(part.parentSpanId).toBe(taken.spanId);
    expect(taken).toMatchObject({ kind: 5, service: 'millrace-worker', failed: false });
    expect(taken.facts).toMatchObject({
      'millrace.task.id': body.id,
      'millrace.task.type': 'inference.embed',
      'millrace.family': 'inference',
      'millrace.attempt': 1,
      'millrace.outcome': 'succeeded',
      'millrace.task.items': 2,
    });
    expect(call.facts).toMatchObject({ 'millrace.call.items': 2, 'millrace.call.tasks': 1 });
    expect(call.facts['millrace.call.id']).toContain(taken.facts['millrace.worker']);
    // One after the other: the wait ends where the work begins, and so on.
    expect(queued.endedAt).toBe(taken.startedAt);
    expect([batched.endedAt <= call.startedAt, call.endedAt <= settle.startedAt]).toEqual([true, true]);
    expect(mill.api.lines.find((line) => line.event === 'request' && line['taskId'] === body.id)?.['traceId']).toBe(
      traceId,
    );
  });

  it('children are in the trace of their parent, and nothing of any text is in a trace', async () => {
    const mill = await openMill({ ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces` });
    const client = new Millrace({ redisUrl, prefix: mill.prefix });
    await client.createCollection('things', { dimensions: 384, metric: 'cosine' });
    await client.close();
    const document = { id: secret, text: `The ${secret} turns.`, metadata: { kind: secret } };
    const documents = { type: 'vector.documents', input: { collection: 'things', documents: [document] } };
    const written = await post(`${mill.api.url}/v1/tasks?wait=30`, documents);
    expect(written.body.state).toBe('succeeded');
    // What fails, at either door, says why; that too may quote what it was given.
    const refused = await post(`${mill.api.url}/v1/tasks?wait=30`, {
      type: 'inference.embed',
      input: { texts: secret },
    });
    expect(refused.status).toBe(422);
    const bare = new Queue('inference', { connection, prefix: mill.prefix });
    const wrong = { v: 1, input: { texts: [secret], [secret]: secret } };
    const traceId = '1af7651916cd43dd8448eb211c80319d';
    const traced = { telemetry: { metadata: JSON.stringify({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` }) } };
    const broken = { telemetry: { metadata: `{"traceparent": "${secret}` } };
    const jobs = [await bare.add('inference.embed', wrong, traced), await bare.add('inference.unheard', wrong, broken)];
    await expect.poll(async () => await jobs[0]?.getState(), { timeout: waitMs }).toBe('failed');
    expect((await bare.getJob(jobs[0]?.id ?? ''))?.failedReason).toContain(secret);
    await bare.close();
    await mill.end();

    const parent = receiver.spans.findLast(
      ({ facts }) => facts['millrace.task.id'] === written.body.id && facts['millrace.family'],
    );
    const trace = spansOf(parent?.traceId ?? '');
    const ids = new Set(trace.map(({ spanId }) => spanId));
    expect(trace.filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId))).toEqual([]);
    expect(new Set(trace.map(({ name }) => name).filter((name) => name.startsWith('task ')))).toEqual(
      new Set(['task vector.documents', 'task text.chunk', 'task inference.embed']),
    );
    const failed = receiver.spans.filter(({ facts }) => facts['error.type'] === 'INVALID_INPUT');
    expect(failed.map(({ name, traceId: of }) => [name, of])).toEqual([['task inference.embed', traceId]]);
    const line = mill.worker.lines.find(({ event, code }) => event === 'task.refused' && code === 'INVALID_INPUT');
    expect(line?.['traceId']).toBe(traceId);
    expect(receiver.bodies.length).toBeGreaterThan(0);
    expect(receiver.bodies.filter((sent) => sent.includes(secret))).toEqual([]);
  });
});

describe('An app that enqueues by Redis', () => {
  /** As bullmq-otel is within a span of the app, whose trace context is given. */
  function telemetryWithin(traceparent: string): QueueTelemetry {
    const nothing = () => {};
    const span = {
      setAttribute: nothing,
      setAttributes: nothing,
      addEvent: nothing,
      recordException: nothing,
      end: nothing,
    };
    return {
      tracer: { startSpan: () => ({ ...span, setSpanOnContext: (context) => context }) },
      contextManager: {
        active: () => undefined,
        with: (_context, act) => act(),
        getMetadata: () => JSON.stringify({ traceparent }),
        fromMetadata: (context) => context,
      },
    };
  }

  it('has its tasks in its own traces, one by one and many at once', async () => {
    const mill = await openMill({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const parent = '00f067aa0ba902b7';
    const telemetry = telemetryWithin(`00-${traceId}-${parent}-01`);
    const client = new Millrace({ redisUrl, prefix: mill.prefix, telemetry });
    const input: InputOf<readonly [], 'text.clean'> = { texts: ['a'], format: 'plain' };
    const tasks = [
      await client.enqueue('text.clean', input),
      ...(await client.enqueueMany('text.clean', [input, input])),
    ];
    await Promise.all(tasks.map((task) => task.result({ timeoutMs: waitMs })));
    await client.close();
    await mill.end();
    const taken = spansOf(traceId).filter(({ name }) => name === 'task text.clean');
    expect(taken.map(({ parentSpanId }) => parentSpanId)).toEqual([parent, parent, parent]);
    expect(new Set(taken.map(({ facts }) => facts['millrace.task.id']))).toEqual(new Set(tasks.map(({ id }) => id)));
  });
});

describe('What comes later', () => {
  it('is in the trace of the task when it is tried again, and not in that of who made a schedule', async () => {
    const before = receiver.spans.length;
    const mill = await openMill({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const { url } = mill.api;
    await post(`${url}/v1/queues/inference/pause`, {});
    const { body } = await post(`${url}/v1/tasks`, { type: 'inference.embed', input: { texts: ['later'] } });
    await post(`${url}/v1/tasks/${body.id}/cancel`, {});
    await post(`${url}/v1/tasks/${body.id}/retry`, {});
    await post(`${url}/v1/queues/inference/resume`, {});
    const schedule = { everyMs: 1000, task: { type: 'text.clean', input: { texts: ['a'], format: 'plain' } } };
    const made = await fetch(`${url}/v1/schedules/often`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(schedule),
    });
    expect(made.ok).toBe(true);
    const ended = async (path: string) => await (await fetch(`${url}/v1/tasks${path}`)).json();
    await expect.poll(async () => (await ended(`/${body.id}`)).state, { timeout: waitMs }).toBe('succeeded');
    const runs = async () => (await ended('?state=succeeded&type=text.clean')).tasks.length;
    await expect.poll(runs, { timeout: waitMs }).toBeGreaterThanOrEqual(2);
    await mill.end();

    const tried = receiver.spans.find(
      ({ name, facts }) => name === 'task inference.embed' && facts['millrace.task.id'] === body.id,
    );
    expect(tried?.facts['millrace.outcome']).toBe('succeeded');
    expect(spansOf(tried?.traceId ?? '').map(({ name }) => name)).toContain('POST /v1/tasks');
    const ran = receiver.spans.slice(before).filter(({ name }) => name === 'task text.clean');
    expect(ran.length).toBeGreaterThanOrEqual(2);
    expect(new Set(ran.map(({ traceId }) => traceId)).size).toBe(ran.length);
  });
});

describe('Without it', () => {
  it('nothing is sent and nothing of OpenTelemetry is loaded', async () => {
    const sentBefore = receiver.bodies.length;
    const mill = await openMill({});
    const { body } = await post(`${mill.api.url}/v1/tasks?wait=30`, {
      type: 'inference.embed',
      input: { texts: ['a'] },
    });
    expect(body.state).toBe('succeeded');
    await mill.end();
    expect([modulesOf(mill.api), modulesOf(mill.worker)]).toEqual([[], []]);
    expect(receiver.bodies.length).toBe(sentBefore);
  });
});

import { Metrics } from '@millrace/shared/metrics';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { exposition, metricsSchema } from '../../apps/api/src/metrics/exposition.ts';
import { beatOf } from './beat.ts';
import { embedTask, openTestApi, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  await test.api.close();
});

const valueLine =
  /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[\d.]+(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;

/** The values of a text, by name and labels, when the text is as Prometheus wants it. */
function parseExposition(text: string): Map<string, number> {
  expect(text.endsWith('\n')).toBe(true);
  const values = new Map<string, number>();
  const types = new Set<string>();
  let family = '';
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, kind, name = ''] = /^# (HELP|TYPE) (\S+) /.exec(line) ?? [];
    if (kind === 'HELP') family = name;
    if (kind === 'TYPE') {
      expect(types.has(name), `${name} has one TYPE`).toBe(false);
      types.add(name);
      expect(name).toBe(family);
    }
    if (line.startsWith('#')) continue;
    const match = valueLine.exec(line);
    expect(match, line).not.toBeNull();
    const [, metric = '', labels = '', value = ''] = match ?? [];
    expect(metric.replace(/_(bucket|sum|count)$/, '') === family || metric === family, line).toBe(true);
    const key = metric + labels;
    expect(values.has(key), `${key} comes once`).toBe(false);
    values.set(key, Number(value));
  }
  return values;
}

async function scrape(): Promise<Map<string, number>> {
  const response = await test.get('/metrics');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parseExposition(await response.text());
}

describe('GET /metrics', () => {
  it('counts requests, and tasks accepted and refused', async () => {
    await test.post('/v1/tasks', embedTask(['a']));
    await test.post('/v1/tasks', embedTask(['']));
    await test.post('/v1/tasks/bulk', { tasks: [embedTask(['a']), embedTask(['b']), { type: 'no.such' }] });
    await test.get('/v1/tasks/x');
    const values = await scrape();
    expect(values.get('millrace_tasks_enqueued_total{type="inference.embed"}')).toBe(3);
    expect(values.get('millrace_tasks_refused_total{code="INVALID_INPUT"}')).toBe(1);
    expect(values.get('millrace_tasks_refused_total{code="UNSUPPORTED_TASK_TYPE"}')).toBe(1);
    expect(values.get('millrace_http_request_seconds_count{method="POST",route="/v1/tasks",status="202"}')).toBe(1);
    expect(values.get('millrace_http_request_seconds_count{method="GET",route="/v1/tasks/:id",status="404"}')).toBe(1);
    expect(values.get('millrace_queue_tasks{family="inference",state="queued"}')).toBe(3);
    expect(values.get('millrace_queue_oldest_seconds{family="inference",priority="normal"}')).toBeGreaterThanOrEqual(0);
    expect(values.get('millrace_queue_paused{family="inference"}')).toBe(0);
    expect(values.get('millrace_workers{family="inference"}')).toBe(0);
    expect(values.get('millrace_wanted_workers{family="inference"}')).toBe(1);
    expect(values.get('millrace_redis_up')).toBe(1);
    expect(values.get('millrace_redis_memory_used_bytes')).toBeGreaterThan(0);
    expect(values.get('millrace_redis_memory_limit_bytes')).toBe(0);
    expect(values.get('millrace_waiters')).toBe(0);
    expect(values.get('millrace_process_rss_bytes')).toBeGreaterThan(1e6);
  });

  it('has the metrics of every live worker, told apart by its id', async () => {
    for (const id of ['host-1-aa', 'host-2-bb']) {
      const metrics = new Metrics();
      metrics.count('millrace_tasks_settled_total', { type: 'inference.embed', outcome: 'succeeded' }, 7);
      metrics.observe('millrace_call_seconds', { type: 'inference.embed' }, 0.2);
      metrics.set('millrace_process_rss_bytes', {}, 5);
      await test.mill.workers.beat(beatOf({ id }), await metrics.registry.getMetricsAsJSON());
    }
    const values = await scrape();
    for (const worker of ['host-1-aa', 'host-2-bb']) {
      const labels = `type="inference.embed",outcome="succeeded",worker="${worker}"`;
      expect(values.get(`millrace_tasks_settled_total{${labels}}`)).toBe(7);
      expect(values.get(`millrace_call_seconds_count{type="inference.embed",worker="${worker}"}`)).toBe(1);
      expect(values.get(`millrace_call_seconds_bucket{le="+Inf",type="inference.embed",worker="${worker}"}`)).toBe(1);
      expect(values.get(`millrace_process_rss_bytes{worker="${worker}"}`)).toBe(5);
    }
  });

  it('bears a worker that says what it should not', async () => {
    await test.mill.redis.set(test.keys.workerMetrics('host-1-aa'), '{"not":"metrics"}');
    expect((await scrape()).get('millrace_process_rss_bytes{worker="host-2-bb"}')).toBe(5);
  });

  it('escapes what a label or a help may hold', () => {
    const metrics = [{ name: 'm', help: 'a\nb\\', type: 'gauge', values: [{ value: 1, labels: { l: 'q"\\\n' } }] }];
    expect(exposition([{ labels: {}, metrics: metricsSchema.parse(metrics) }])).toBe(
      '# HELP m a\\nb\\\\\n# TYPE m gauge\nm{l="q\\"\\\\\\n"} 1\n',
    );
  });
});

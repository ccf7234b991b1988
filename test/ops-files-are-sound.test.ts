import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { metricTable } from '@millrace/shared/metrics';
import { settings } from '@millrace/shared/settings';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, parse as parseYaml } from 'yaml';
import { z } from 'zod';

const root = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

const alertsFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
          annotations: z.strictObject({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});
const { groups } = alertsFile.parse(parseYaml(read('ops/prometheus/alerts.yml')));
const rules = groups.flatMap((group) => group.rules);

const alertTestsFile = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()).default([]) })),
    }),
  ),
});

const dashboardFile = z.object({
  panels: z.array(
    z.object({
      title: z.string(),
      type: z.string(),
      fieldConfig: z.object({ defaults: z.object({ unit: z.string() }) }).optional(),
      targets: z.array(z.object({ expr: z.string(), datasource: z.object({ uid: z.string() }) })).optional(),
    }),
  ),
});
const { panels } = dashboardFile.parse(JSON.parse(read('ops/grafana/dashboard.json')));
const charts = panels.filter(({ type }) => type !== 'row');

const composeFile = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      environment: z.record(z.string(), z.string()).default({}),
      ports: z.array(z.string()).default([]),
      volumes: z.array(z.string()).default([]),
      profiles: z.array(z.string()).default([]),
    }),
  ),
  secrets: z.record(z.string(), z.object({ environment: z.string() })),
  volumes: z.record(z.string(), z.null()),
});
const composeText = read('docker-compose.yml');
const compose = composeFile.parse(parseYaml(composeText));

/** Words of PromQL that stand where a metric could. */
const words = new Set(['and', 'or', 'unless', 'on', 'ignoring', 'by', 'without', 'bool', 'offset', 'group_left']);
/** What Prometheus itself says of what it scrapes. */
const ofPrometheus = new Set(['up']);

/** The metrics that an expression reads: what is left of it without selectors, ranges, labels, functions and words. */
function metricsOf(expr: string): string[] {
  const bare = expr
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|without|on|ignoring|group_left)\s*\([^)]*\)/g, ' ');
  const names = bare.matchAll(/[a-zA-Z_:][\w:]*(?!\s*\()\b(?!\s*\()/g);
  return [...names].map(([name]) => name).filter((name) => !words.has(name));
}

/** The labels that an expression selects or groups by. */
function labelsOf(expr: string): string[] {
  const grouped = [...expr.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(','));
  const selected = [...expr.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, name = '']) => name);
  return [...grouped.map((name) => name.trim()), ...selected];
}

/** The name in the table behind a name in an expression: a histogram is read by its parts. */
function tableName(name: string): string {
  const [, stem = ''] = /^(.*)_(bucket|sum|count)$/.exec(name) ?? [];
  return new Map<string, { kind: string }>(Object.entries(metricTable)).get(stem)?.kind === 'histogram' ? stem : name;
}

const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...charts.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
];

describe('Alerts and dashboard', () => {
  it('find the metrics of an expression', () => {
    const expr = 'sum by (a, le) (rate(x_bucket{b="c(d"}[5m])) / on (a) max(y_total > 0) and z';
    expect(metricsOf(expr)).toEqual(['x_bucket', 'y_total', 'z']);
    expect(labelsOf(expr)).toEqual(['a', 'le', 'a', 'b']);
  });

  it.each(expressions)('%s reads metrics and labels that there are: %s', (_name, expr) => {
    const names = metricsOf(expr).filter((name) => !ofPrometheus.has(name));
    expect(names.filter((name) => !(tableName(name) in metricTable))).toEqual([]);
    const table = new Map<string, { labels: readonly string[] }>(Object.entries(metricTable));
    const known = new Set(names.flatMap((name) => table.get(tableName(name))?.labels ?? []));
    // `worker` is given by the API, the others by Prometheus.
    const given = ['worker', 'instance', 'job', 'le'];
    expect(labelsOf(expr).filter((label) => !known.has(label) && !given.includes(label))).toEqual([]);
  });

  it('show every metric that tells of the mill', () => {
    const shown = new Set(
      charts.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => metricsOf(expr).map(tableName))),
    );
    // What a dashboard would only repeat: each has a sibling that is shown.
    const spared = ['millrace_queue_paused', 'millrace_redis_up', 'millrace_waiters'];
    expect(
      Object.keys(metricTable)
        .filter((name) => !shown.has(name))
        .sort(),
    ).toEqual(spared);
  });

  it('have a unit for each chart, and the data source that is provisioned', () => {
    const { datasources } = parseYaml(read('ops/grafana/provisioning/datasources/prometheus.yml'));
    const uids = charts.flatMap(({ targets = [] }) => targets.map(({ datasource }) => datasource.uid));
    expect(new Set(uids)).toEqual(new Set([datasources[0].uid]));
    expect(charts.filter(({ fieldConfig }) => !fieldConfig?.defaults.unit)).toEqual([]);
  });

  it.each(rules)('$alert has a section in the runbook', ({ alert, annotations: { runbook } }) => {
    const [file = '', anchor = ''] = runbook.split('#');
    const heads = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, head = '']) => head.toLowerCase());
    expect(anchor).toBe(alert.toLowerCase());
    expect(heads).toContain(anchor);
  });

  it('have a case in which each rule fires, and one in which none does', () => {
    const { tests } = alertTestsFile.parse(parseYaml(read('ops/prometheus/alerts.test.yml')));
    const cases = tests.flatMap((test) => test.alert_rule_test);
    const names = (some: typeof cases) => [...new Set(some.map(({ alertname }) => alertname))].sort();
    const all = rules.map(({ alert }) => alert).sort();
    expect(names(cases.filter(({ exp_alerts: alerts }) => alerts.length > 0))).toEqual(all);
    expect(names(cases.filter(({ exp_alerts: alerts }) => alerts.length === 0))).toEqual(all);
  });

  it('are rules that Prometheus takes, and that fire when they should', (context) => {
    const run = (args: string[]) => spawnSync('promtool', args, { cwd: fileURLToPath(root), encoding: 'utf8' });
    if (run(['--version']).error !== undefined) context.skip('promtool is not on PATH; it comes with Prometheus');
    for (const args of [
      ['check', 'config', '--syntax-only', 'ops/prometheus/prometheus.yml'],
      ['check', 'rules', 'ops/prometheus/alerts.yml'],
      ['test', 'rules', 'ops/prometheus/alerts.test.yml'],
    ]) {
      const { status, stdout, stderr } = run(args);
      expect(status, `${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
    }
  });
});

describe('The compose file', () => {
  /** What it reads beside settings; its head explains them. */
  const own = [
    ...['COMPOSE_REDIS_URL', 'REDIS_MAXMEMORY', 'METRICS_KEY'],
    ...['GRAFANA_ADMIN_PASSWORD', 'PROMETHEUS_PORT', 'GRAFANA_PORT'],
  ];

  it('gives API and workers settings that there are, and reads no other variable', () => {
    for (const service of ['api', 'worker']) {
      const names = Object.keys(compose.services[service]?.environment ?? {});
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((name) => !(name in settings))).toEqual([]);
    }
    const read = [...composeText.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
    const all = [...read, ...Object.values(compose.secrets).map(({ environment }) => environment)];
    expect(all.filter((name) => !(name in settings) && !own.includes(name))).toEqual([]);
    const head = composeText.slice(0, composeText.indexOf('\nname:'));
    expect(own.filter((name) => !head.includes(name))).toEqual([]);
  });

  it('publishes nothing beyond this machine, and pins what it does not build', () => {
    const services = Object.values(compose.services);
    expect(services.flatMap(({ ports }) => ports).filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    const foreign = services.map(({ image }) => image).filter((image) => !image.startsWith('millrace-'));
    expect(foreign.filter((image) => !/:v?\d+/.test(image))).toEqual([]);
  });

  it('mounts files that are there, and volumes that it declares', () => {
    const sources = Object.values(compose.services).flatMap(({ volumes }) =>
      volumes.map((line) => line.split(':')[0] ?? ''),
    );
    for (const source of sources) {
      if (source.startsWith('./')) expect(() => readFileSync(new URL(source, root))).not.toThrow(/ENOENT/);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  it('starts without a cluster, Prometheus and Grafana, and their secrets: they are in profiles', () => {
    const optional = Object.entries(compose.services).filter(([, { profiles }]) => profiles.length > 0);
    expect(optional.map(([name, { profiles }]) => [name, profiles])).toEqual([
      ['redis-cluster', ['cluster']],
      ['prometheus', ['observability']],
      ['grafana', ['observability']],
    ]);
  });

  it('asks Prometheus for rules and a key where it puts them', () => {
    const { rule_files: files, scrape_configs: scrapes } = parseYaml(read('ops/prometheus/prometheus.yml'));
    const mounted = compose.services['prometheus']?.volumes.map((line) => line.split(':')[1]);
    for (const file of files) expect(mounted).toContain(file);
    expect(scrapes[0].authorization.credentials_file).toBe(`/run/secrets/${Object.keys(compose.secrets)[0]}`);
  });
});

describe('The example for KEDA', () => {
  it('is YAML, and reads what GET /v1/queues and the metrics have', () => {
    const text = read('examples/keda/scaled-object.yaml');
    const documents = parseAllDocuments(text).map((document) => document.toJS());
    expect(documents.map(({ kind }) => kind)).toEqual(['TriggerAuthentication', 'ScaledObject']);
    expect(documents[1].spec.triggers[0].metadata.valueLocation).toBe('queues.#(family=="inference").wantedWorkers');
    expect('millrace_wanted_workers' in metricTable && text.includes('millrace_wanted_workers{family=')).toBe(true);
  });
});

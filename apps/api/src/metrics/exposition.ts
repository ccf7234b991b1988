import { z } from 'zod';

/** prom-client's JSON of a registry. A worker's comes out of Redis, and may be of another version. */
export const metricsSchema = z.array(
  z.object({
    name: z.string(),
    help: z.string(),
    type: z.string(),
    values: z.array(
      z.object({
        // What JSON cannot say (NaN) reads as null.
        value: z.number().nullable(),
        labels: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
        metricName: z.string().optional(),
      }),
    ),
  }),
);
type Metric = z.infer<typeof metricsSchema>[number];

/** The metrics of one process, and the labels that tell it from the others. */
export interface MetricsSource {
  readonly labels: Readonly<Record<string, string>>;
  readonly metrics: readonly Metric[];
}

/** The media type of the text format. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus' text format for several processes: each metric has its HELP and TYPE once, and the values of all below. */
export function exposition(sources: readonly MetricsSource[]): string {
  const families = new Map<string, { help: string; type: string; lines: string[] }>();
  for (const { labels, metrics } of sources) {
    for (const metric of metrics) {
      const family = families.get(metric.name) ?? { help: metric.help, type: metric.type, lines: [] };
      families.set(metric.name, family);
      family.lines.push(...linesOf(metric, labels));
    }
  }
  const blocks = [...families].map(([name, { help, type, lines }]) =>
    [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n'),
  );
  return blocks.join('\n');
}

function linesOf(metric: Metric, labels: Readonly<Record<string, string>>): string[] {
  return metric.values.flatMap(({ value, labels: own, metricName }) => {
    if (value === null) return [];
    const pairs = Object.entries({ ...own, ...labels }).map(([name, text]) => `${name}="${escapeLabel(String(text))}"`);
    const inBraces = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
    return [`${metricName ?? metric.name}${inBraces} ${value}`];
  });
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

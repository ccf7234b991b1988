import { readTracingEnv } from './env.ts';
import type { Logger } from './logger.ts';
import type { QueueTelemetry } from './queues.ts';

/** Facts of a span: ids, sizes and kinds, never what is in a task. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

/** Where a span belongs and when it began. */
export interface SpanStart {
  /** `server` answers a request, `consumer` takes a task from a queue; left out, work inside. */
  readonly kind?: 'server' | 'consumer';
  /** The span that it is part of; undefined: it begins a trace, unless `carrier` names one. */
  readonly parent?: TraceSpan | undefined;
  /** Headers of W3C trace context from another process (`traceparent`, `tracestate`); those that are none are passed over. */
  readonly carrier?: Readonly<Record<string, unknown>> | undefined;
  /** ms since 1970; left out, now. */
  readonly at?: number | undefined;
  readonly facts?: SpanFacts;
}

/** A stretch of time in a trace. */
export interface TraceSpan {
  readonly traceId: string;
  note(facts: SpanFacts): void;
  /** It did not go well. `reason` is a code: a message may quote what is in a task. */
  fail(reason: string): void;
  /** What is enqueued or begun within it belongs to it, also after an await. */
  within<T>(act: () => T): T;
  /** `at`: ms since 1970; left out, now. */
  end(at?: number): void;
}

/** Traces of one process, while they are on. */
export interface Tracing {
  /** For queues, so that a task carries the trace of who enqueued it. */
  readonly telemetry: QueueTelemetry;
  begin(name: string, start: SpanStart): TraceSpan;
  /** Sends what is left, within a bound; never throws. */
  close(): Promise<void>;
}

interface TracingParams {
  /** Unless OTEL_SERVICE_NAME says otherwise. */
  readonly serviceName: string;
  readonly log: Logger;
}

/**
 * Traces by OpenTelemetry, if OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set; else undefined, and nothing
 * of OpenTelemetry is loaded. To be called before anything that is to be traced, and closed last.
 */
export async function startTracing(params: TracingParams): Promise<Tracing | undefined> {
  if (!readTracingEnv()) return undefined;
  const { openTracing } = await import('./tracing-sdk.ts');
  return openTracing(params);
}

/** The headers of trace context that a job was enqueued with; any program may have written them. */
export function carrierOf(opts: unknown): Readonly<Record<string, unknown>> | undefined {
  const { telemetry } = (opts ?? {}) as { telemetry?: { metadata?: unknown } };
  if (typeof telemetry?.metadata !== 'string') return undefined;
  try {
    const parsed: unknown = JSON.parse(telemetry.metadata);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** `{traceId}` of a job that was enqueued within a trace, for its log lines, whether or not this process traces; else nothing. */
export function traceFactsOf(opts: unknown): { traceId?: string } {
  const traceparent = carrierOf(opts)?.['traceparent'];
  const [, traceId] = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(typeof traceparent === 'string' ? traceparent : '') ?? [];
  return traceId === undefined ? {} : { traceId };
}

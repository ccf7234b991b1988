import {
  type Attributes,
  type Context,
  context,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import type { Logger } from './logger.ts';
import type { SpanFacts, SpanStart, TraceSpan, Tracing } from './tracing.ts';

/** How long the last spans may take to be sent when the process ends; ms. */
const flushMs = 3000;
const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER } as const;

interface OpenParams {
  readonly serviceName: string;
  readonly log: Logger;
}

/** OpenTelemetry's SDK, set up by its own variables, and the only file that loads it. */
export function openTracing({ serviceName, log }: OpenParams): Tracing {
  reportTo(log);
  const resource = resourceFromAttributes({ 'service.name': serviceName }).merge(
    detectResources({ detectors: [envDetector] }),
  );
  // Sampler, limits and batches are the SDK's to read: OTEL_TRACES_SAMPLER, OTEL_BSP_* …
  const provider = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  const tracer = trace.getTracer('millrace');
  return {
    telemetry: new BullMQOtel({ tracerName: 'millrace' }),
    begin: (name, start) => beginSpan(tracer, name, start),
    close: () => closeWithin(() => provider.shutdown()),
  };
}

/** The SDK says what goes wrong with every batch; that is worth one warning, and the rest is for debugging. */
function reportTo(log: Logger): void {
  let isTold = false;
  const tell = (message: string) => {
    const level = isTold ? 'debug' : 'warn';
    isTold = true;
    log[level]({ event: 'traces.trouble', reason: message.slice(0, 500) }, 'traces are not sent as they should be');
  };
  const nothing = () => {};
  diag.setLogger(
    { error: tell, warn: tell, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

function beginSpan(tracer: Tracer, name: string, { kind, parent, carrier, at, facts = {} }: SpanStart): TraceSpan {
  const around = parent === undefined ? propagation.extract(ROOT_CONTEXT, carrier ?? {}) : contextOf(parent);
  const options = {
    kind: kind === undefined ? SpanKind.INTERNAL : kinds[kind],
    attributes: attributesOf(facts),
    ...(at === undefined ? {} : { startTime: at }),
  };
  return new OtelSpan(tracer.startSpan(name, options, around), around);
}

class OtelSpan implements TraceSpan {
  readonly context: Context;
  private readonly span: Span;

  constructor(span: Span, around: Context) {
    this.span = span;
    this.context = trace.setSpan(around, span);
  }

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  note(facts: SpanFacts): void {
    this.span.setAttributes(attributesOf(facts));
  }

  fail(reason: string): void {
    this.span.setAttribute('error.type', reason);
    this.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  within<T>(act: () => T): T {
    return context.with(this.context, act);
  }

  end(at?: number): void {
    this.span.end(at);
  }
}

function contextOf(span: TraceSpan): Context {
  return span instanceof OtelSpan ? span.context : ROOT_CONTEXT;
}

function attributesOf(facts: SpanFacts): Attributes {
  return { ...facts };
}

async function closeWithin(close: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, flushMs);
  });
  await Promise.race([close().catch(() => {}), late]);
  clearTimeout(timer);
}

import {
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from './logger.ts';
import { inContext, requestContext } from './requestContext.ts';
import type { Tracer } from './tracing.ts';

/** How long a span waits for a batch, ms. */
const BATCH_MS = 1000;

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT };

/**
 * Sends spans as OTLP over HTTP, with the standard variables: OTEL_EXPORTER_OTLP_*, OTEL_RESOURCE_ATTRIBUTES,
 * OTEL_SERVICE_NAME, and OTEL_TRACES_SAMPLER_ARG for the share of traces that begin here.
 */
export function createTracer(service: string, logger: Logger): Tracer {
  const report = (message: string) => logger.warn({ reason: message }, 'traces not sent');
  const ignore = () => {};
  const diagnostics = { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(diagnostics, DiagLogLevel.WARN);
  const share = Number(process.env.OTEL_TRACES_SAMPLER_ARG || 1);
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), scheduledDelayMillis: BATCH_MS })],
  });
  const tracer = provider.getTracer('mediasoup-server');
  return {
    async inSpan(name, { kind, attributes = {}, traceparent }, action) {
      const parent = parseTraceParent(traceparent ?? requestContext().traceparent ?? '');
      const within = parent
        ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: traceparent !== undefined })
        : ROOT_CONTEXT;
      // Work that the process starts by itself is not traced.
      if (!parent && kind === 'client') return action();
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, within);
      try {
        const { traceId } = span.spanContext();
        return await inContext({ traceId, traceparent: traceparentOf(span.spanContext()) }, action);
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
        throw error;
      } finally {
        span.end();
      }
    },
    close: () => provider.shutdown(),
  };
}

/** W3C Trace Context, 3.2. */
const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

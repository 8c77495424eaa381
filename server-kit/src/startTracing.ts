import type { Logger } from './logger.ts';
import { setTracer } from './tracing.ts';

/**
 * Sends traces to the URL in the standard variable OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT. Without
 * them the SDK of OpenTelemetry is not loaded.
 */
export async function startTracing(service: string, logger: Logger): Promise<void> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_SDK_DISABLED } = process.env;
  if (OTEL_SDK_DISABLED === 'true' || !(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || OTEL_EXPORTER_OTLP_ENDPOINT)) return;
  const { createTracer } = await import('./openTelemetry.ts');
  setTracer(createTracer(service, logger));
}

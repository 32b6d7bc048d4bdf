export { telemetryOptions } from './config.ts';
export { clientSpans } from './http-client-span.ts';
export { serverSpans, setSpanRoute } from './http-server-span.ts';
export type { ServerSpanMiddleware, ServerSpanOptions } from './http-server-span.ts';
export { createLogger, endLogger, logLevels } from './logger.ts';
export type { LogLevel, Logger, LoggerOptions } from './logger.ts';
export { endSpan, startProducerSpan, withBatchSpan, withProcessSpan, withSpan } from './messaging-span.ts';
export type { Destination, ProcessSpanOptions, TracedEvent } from './messaging-span.ts';
export {
  createCounter,
  createDurationHistogram,
  createGauge,
  createGauges,
  createUpDownCounter,
  waitBuckets,
} from './metrics.ts';
export type { InstrumentOptions, Observation } from './metrics.ts';
export { pathWithoutSecrets } from './path-without-secrets.ts';
export { runningTelemetry, startTelemetry } from './start-telemetry.ts';
export type { Telemetry, TelemetryOptions } from './start-telemetry.ts';
export { currentTraceContext, formatTraceparent, parseTraceparent } from './trace-context.ts';
export type { TraceContext } from './trace-context.ts';

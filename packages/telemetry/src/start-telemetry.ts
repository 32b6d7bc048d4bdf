import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  InstrumentType,
  MetricReader,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  NoopSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';

import { requestDurations } from './request-durations.ts';
import { observeRuntime } from './runtime-metrics.ts';
import { withoutMessages } from './without-messages.ts';

/** What telemetry is started with. */
export interface TelemetryOptions {
  /** `service.name`, such as `auth`. */
  readonly service: string;
  readonly version: string;
  /** Share of traces that are recorded where the caller is not one of ours: 0 to 1. */
  readonly sampleRatio: number;
  /** OTLP over HTTP, such as `http://collector:4318`; without it nothing is exported. */
  readonly otlpEndpoint?: string;
  /** Instead of the exporter: for tests that look at spans. */
  readonly spanProcessor?: SpanProcessor;
}

/** Telemetry that runs. */
export interface Telemetry {
  /** Whether spans are exported. */
  readonly exporting: boolean;
  /** Metrics in Prometheus' text format, version 0.0.4. */
  metricsText(): Promise<string>;
  /**
   * Sends what has been gathered and stops.
   *
   * @param timeoutMs - after which what is left is given up
   */
  shutdown(timeoutMs: number): Promise<void>;
}

/** What a gauge has not observed anew is gone: by the SDK's default it would be told for ever. */
const temporalityOf = (type: InstrumentType): AggregationTemporality =>
  type === InstrumentType.OBSERVABLE_GAUGE ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;

class PushExporter extends OTLPMetricExporter {
  override selectAggregationTemporality(type: InstrumentType): AggregationTemporality {
    return temporalityOf(type);
  }
}

/** Collects when asked, and only then. */
class PullReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** How often metrics are pushed over OTLP. */
const pushEveryMs = 30_000;

const commandOnly = (command: string): string => command;

// A statement's values are users' data, and may be secrets: only names reach a span.
const instrumentations = () => [
  new MongoDBInstrumentation({
    enhancedDatabaseReporting: false,
    dbStatementSerializer: (command) => Object.keys(command)[0] ?? 'command',
    requireParentSpan: true,
  }),
  new IORedisInstrumentation({ dbStatementSerializer: commandOnly, requireParentSpan: true }),
];

const spanProcessorOf = (options: TelemetryOptions): SpanProcessor => {
  if (options.spanProcessor !== undefined) return options.spanProcessor;
  if (options.otlpEndpoint === undefined) return new NoopSpanProcessor();
  const url = `${options.otlpEndpoint.replace(/\/$/, '')}/v1/traces`;
  return new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url, timeoutMillis: 5_000 }) });
};

const within = async (work: Promise<unknown>, timeoutMs: number): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, timeoutMs, undefined);
  // A collector that is away must not make a service's end a failure.
  await Promise.race([work.catch(() => undefined), promise]);
  clearTimeout(timer);
};

let running: Telemetry | undefined;

/** @returns the telemetry of this process, once it has been started */
export const runningTelemetry = (): Telemetry | undefined => running;

/**
 * Starts traces and metrics for this process, once. Without an OTLP endpoint no span is recorded: trace ids are still made
 * and passed on, for logs, answers and events, and metrics are still there to be scraped.
 *
 * @param options - name, version, sampling, endpoint
 */
export const startTelemetry = (options: TelemetryOptions): Telemetry => {
  if (running !== undefined) return running;
  const exporting = options.otlpEndpoint !== undefined || options.spanProcessor !== undefined;
  const pull = new PullReader({
    metricProducers: [requestDurations],
    aggregationTemporalitySelector: temporalityOf,
  });
  const readers: MetricReader[] = [pull];
  if (options.otlpEndpoint !== undefined) {
    const url = `${options.otlpEndpoint.replace(/\/$/, '')}/v1/metrics`;
    const exporter = new PushExporter({ url, timeoutMillis: 5_000 });
    readers.push(
      new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: pushEveryMs,
        exportTimeoutMillis: 5_000,
        metricProducers: [requestDurations],
      }),
    );
  }
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ 'service.name': options.service, 'service.version': options.version }),
    autoDetectResources: false,
    textMapPropagator: new W3CTraceContextPropagator(),
    sampler: exporting
      ? new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) })
      : new AlwaysOffSampler(),
    spanProcessors: [withoutMessages(), spanProcessorOf(options)],
    metricReaders: readers,
    logRecordProcessors: [],
    instrumentations: exporting ? instrumentations() : [],
  });
  sdk.start();
  observeRuntime();
  // Rules and dashboards tell services apart by it, however they are scraped.
  const serializer = new PrometheusSerializer(undefined, false, /^service\.name$/, false, true);
  running = {
    exporting,
    metricsText: async () => serializer.serialize((await pull.collect()).resourceMetrics),
    shutdown: (timeoutMs) => within(sdk.shutdown(), timeoutMs),
  };
  return running;
};

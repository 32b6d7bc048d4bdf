import {
  metrics,
  ValueType,
  type Counter,
  type Histogram,
  type ObservableGauge,
  type UpDownCounter,
} from '@opentelemetry/api';

/** What an instrument measures. */
export interface InstrumentOptions {
  readonly description: string;
  /** UCUM: `s`, `By`, `{request}`. */
  readonly unit?: string;
}

const meter = () => metrics.getMeter('@causeway/telemetry');

/**
 * A counter that only rises.
 *
 * @param name - dotted, such as `causeway.relay.published`
 */
export const createCounter = (name: string, options: InstrumentOptions): Counter =>
  meter().createCounter(name, options);

/**
 * A value that rises and falls, such as what is in flight.
 *
 * @param name - dotted
 */
export const createUpDownCounter = (name: string, options: InstrumentOptions): UpDownCounter =>
  meter().createUpDownCounter(name, options);

/** Bucket bounds in seconds that the semantic conventions advise for durations of requests. */
export const durationBuckets: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/**
 * A histogram of durations in seconds.
 *
 * @param name - dotted, such as `http.server.request.duration`
 */
export const createDurationHistogram = (name: string, description: string): Histogram =>
  meter().createHistogram(name, {
    description,
    unit: 's',
    valueType: ValueType.DOUBLE,
    advice: { explicitBucketBoundaries: [...durationBuckets] },
  });

/**
 * A value that is read when metrics are collected.
 *
 * @param name - dotted
 * @param read - gives the value now, or undefined where there is none
 */
export const createGauge = (
  name: string,
  options: InstrumentOptions,
  read: () => number | undefined,
): ObservableGauge => {
  const gauge = meter().createObservableGauge(name, options);
  gauge.addCallback((result) => {
    const value = read();
    if (value !== undefined) result.observe(value);
  });
  return gauge;
};

import {
  metrics,
  ValueType,
  type Attributes,
  type Counter,
  type Histogram,
  type ObservableGauge,
  type ObservableResult,
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

/** Bounds in seconds for what may also wait for as long as a server is away. */
export const waitBuckets: readonly number[] = [...durationBuckets, 30, 60, 300, 1800];

/**
 * A histogram of durations in seconds.
 *
 * @param name - dotted, such as `http.server.request.duration`
 * @param buckets - its bounds, rising
 */
export const createDurationHistogram = (
  name: string,
  description: string,
  buckets: readonly number[] = durationBuckets,
): Histogram =>
  meter().createHistogram(name, {
    description,
    unit: 's',
    valueType: ValueType.DOUBLE,
    advice: { explicitBucketBoundaries: [...buckets] },
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

/** One value of a gauge, and what it is of. */
export interface Observation {
  readonly value: number;
  readonly attributes?: Attributes;
}

/**
 * Values that are read when metrics are collected: one for each thing that there is now.
 *
 * @param name - dotted
 * @param read - gives the values now; none where there is nothing to say
 * @returns ends it: from then on nothing is read
 */
export const createGauges = (
  name: string,
  options: InstrumentOptions,
  read: () => Iterable<Observation>,
): (() => void) => {
  const gauge = meter().createObservableGauge(name, options);
  const observe = (result: ObservableResult): void => {
    for (const { value, attributes } of read()) result.observe(value, attributes);
  };
  gauge.addCallback(observe);
  return () => gauge.removeCallback(observe);
};

import { ValueType, type HrTime } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  type CollectionResult,
  type DataPoint,
  type Histogram,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { emptyResource } from '@opentelemetry/resources';

import { durationBuckets } from './metrics.ts';

interface Series {
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly counts: number[];
  count: number;
  sum: number;
}

/** Most combinations of method, route and status that are told apart; what comes later is one series. */
const mostSeries = 2_000;

const toHrTime = (epochMs: number): HrTime => [Math.floor(epochMs / 1000), (epochMs % 1000) * 1e6];

/**
 * `http.server.request.duration`, counted here instead of through the SDK's histogram: hashing attributes for each request
 * there cost more than everything else that telemetry does for it. Readers collect it as a metric producer.
 */
export class RequestDurations implements MetricProducer {
  readonly #series = new Map<string, Series>();
  readonly #startedAt = toHrTime(Date.now());

  /**
   * @param seconds - how long the request took
   * @param route - the template; empty where no route answered
   */
  record(seconds: number, method: string, status: number, route: string): void {
    const series = this.#seriesOf(method, status, route);
    let bucket = 0;
    while (bucket < durationBuckets.length && seconds > (durationBuckets[bucket] ?? 0)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.count += 1;
    series.sum += seconds;
  }

  #seriesOf(method: string, status: number, route: string): Series {
    const key = `${method} ${status} ${route}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= mostSeries && key !== overflowKey) return this.#seriesOf('_OTHER', 0, '_OTHER');
    const series: Series = {
      attributes: {
        'http.request.method': method,
        'http.response.status_code': status,
        ...(route !== '' && { 'http.route': route }),
      },
      counts: new Array<number>(durationBuckets.length + 1).fill(0),
      count: 0,
      sum: 0,
    };
    this.#series.set(key, series);
    return series;
  }

  /** Called by the SDK's readers. */
  collect(): Promise<CollectionResult> {
    const now = toHrTime(Date.now());
    const dataPoints = [...this.#series.values()].map((series): DataPoint<Histogram> => ({
      startTime: this.#startedAt,
      endTime: now,
      attributes: series.attributes,
      value: {
        buckets: { boundaries: [...durationBuckets], counts: [...series.counts] },
        sum: series.sum,
        count: series.count,
      },
    }));
    const metric = {
      descriptor: {
        name: 'http.server.request.duration',
        description: 'Duration of requests that were served.',
        unit: 's',
        valueType: ValueType.DOUBLE,
        advice: {},
      },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints,
    } as const;
    const scopeMetrics = dataPoints.length === 0 ? [] : [{ scope: { name: '@causeway/telemetry' }, metrics: [metric] }];
    return Promise.resolve({ resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] });
  }
}

const overflowKey = '_OTHER 0 _OTHER';

/** Those of this process. */
export const requestDurations = new RequestDurations();

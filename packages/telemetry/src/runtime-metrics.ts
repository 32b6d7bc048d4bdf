import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';

import { createGauge } from './metrics.ts';

/** Resolution of the event loop's histogram: what is shorter is not seen as a delay. */
const resolutionMs = 20;

const seconds = (nanoseconds: number): number => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);

/** Gauges for the delay of the event loop and for memory, read when metrics are collected. */
export const observeRuntime = (): void => {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  createGauge(
    'nodejs.eventloop.delay.p99',
    { description: 'Delay of the event loop, 99th percentile since the last collection.', unit: 's' },
    () => {
      const value = seconds(delay.percentile(99));
      delay.reset();
      return value;
    },
  );
  createGauge('process.memory.usage', { description: 'Resident memory.', unit: 'By' }, () => process.memoryUsage.rss());
  createGauge(
    'v8js.memory.heap.used',
    { description: 'Memory used in the heap.', unit: 'By' },
    () => process.memoryUsage().heapUsed,
  );
};

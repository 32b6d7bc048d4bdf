export { forgetEvents } from './forget-events.ts';
export { heldKafka } from './held-kafka.ts';
export type { HeldKafka } from './held-kafka.ts';
export { isolatedKafka } from './isolated-kafka.ts';
export { readMetrics } from './read-metrics.ts';
export type { ScrapedMetrics } from './read-metrics.ts';
export { readPublished } from './published-events.ts';
export type { PublishedEvents } from './published-events.ts';

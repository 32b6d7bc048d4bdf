export { forgetEvents } from './forget-events.ts';
export { isolatedKafka } from './isolated-kafka.ts';
export { readPublished } from './published-events.ts';
export type { PublishedEvents } from './published-events.ts';

import { describe } from 'node:test';
import type { ConformanceOptions } from './conformance-context.ts';
import { describeGroupConsumer } from './group-consumption.ts';
import { describeOutages } from './outages.ts';
import { describeReadAll } from './reading-all.ts';
import { describeProducer, describeTopics } from './topics-and-producer.ts';

/** What every Kafka driver must do, against a real broker. */
export function describeKafkaPort(driver: string, options: ConformanceOptions): void {
  describe(`Kafka port on ${driver}`, { concurrency: 1 }, () => {
    describeTopics(options);
    describeProducer(options);
    describeGroupConsumer(options);
    describeReadAll(options);
    describeOutages(options);
  });
}

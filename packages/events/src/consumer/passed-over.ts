import { catalogue, topicOf } from '@causeway/contracts';

import type { RelayLogger } from '../relay/relay-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';

/** How {@link createPassedOver} is wired. */
export interface PassedOverOptions {
  readonly service: string;
  readonly metrics: Pick<ConsumerMetrics, 'passedOver'>;
  readonly logger: Pick<RelayLogger, 'info'>;
}

/** Types that are spoken of, each once: whoever writes to a topic may make up as many as they like. */
const mostTypes = 100;

/** As much of a type is repeated. */
const longestType = 200;

/**
 * Counts events that no handler here takes. Of a type that this service has a contract of, or of its own topic, that is nothing to look
 * at; one that it does not know is of a producer that was deployed before it, and is told of once.
 *
 * @returns to be called with the topic and the type of each such event
 */
export const createPassedOver = ({
  service,
  metrics,
  logger,
}: PassedOverOptions): ((topic: string, type: string) => void) => {
  const own = topicOf(service);
  const known = new Set(catalogue.map(({ type }) => type));
  const told = new Set<string>();
  return (topic, type) => {
    const isKnown = topic === own || known.has(type);
    metrics.passedOver(topic, isKnown ? 'known' : 'unknown');
    const name = type.slice(0, longestType);
    if (isKnown || told.has(name) || told.size >= mostTypes) return;
    told.add(name);
    logger.info(
      { topic, type: name },
      'events of a type that this service has no contract of are passed over; a handler that comes later has them with from: beginning, or by a replay',
    );
  };
};

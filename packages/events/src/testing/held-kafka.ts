import { KafkaUnavailableError } from '../kafka/errors.ts';
import type { KafkaPort } from '../kafka/port.ts';
import { isolatedKafka } from './isolated-kafka.ts';

/** A Kafka that takes nothing while it is held. Reading from it goes on. */
export interface HeldKafka {
  readonly kafka: KafkaPort;
  hold(): void;
  release(): void;
}

/**
 * Kafka as it is when it is away, for whoever sends through it.
 *
 * @param kafka - the real one
 */
export const heldKafka = (kafka: KafkaPort): HeldKafka => {
  let held = false;
  const producer: KafkaPort['producer'] = async (options) => {
    const real = await kafka.producer(options);
    return {
      send: (records) => (held ? Promise.reject(new KafkaUnavailableError('held by the test')) : real.send(records)),
      close: () => real.close(),
    };
  };
  return {
    kafka: { ...isolatedKafka(kafka, ''), producer },
    hold: () => void (held = true),
    release: () => void (held = false),
  };
};

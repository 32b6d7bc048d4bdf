import { faults, type EventEnvelope, type Fault } from '@causeway/contracts';
import { BSON } from 'mongodb';

import { HeldUp } from './held-up.ts';
import { refusedWrites } from './refused-writes.ts';

const mebibyte = 1024 * 1024;

/** Bounds of rule 1 in docs/architecture.md. Kafka takes 4 MiB a message, set on the topic, so that no recorded event is too large for it. */
export const limits = {
  /** The largest event, as stored. */
  eventBytes: 2 * mebibyte,
  /** The most events that may wait in one document. */
  outboxEvents: 100,
  /** The most bytes that may wait in one document; a document may hold 16 MiB. */
  outboxBytes: 4 * mebibyte,
  /** How often a compare-and-set is tried where the caller named no revision. */
  tries: 5,
} as const;

/**
 * Refuses an event that could not be published.
 *
 * @throws `payload-too-large`
 */
export const checkEventSize = (event: EventEnvelope): void => {
  const stored = BSON.calculateObjectSize(event);
  // As JSON a character may take six bytes; measured only where that could matter.
  const size = stored > limits.eventBytes / 6 ? Math.max(stored, Buffer.byteLength(JSON.stringify(event))) : stored;
  if (size <= limits.eventBytes) return;
  throw faults.payloadTooLarge({
    detail: `The change makes an event of ${size} bytes; at most ${limits.eventBytes} are allowed. Store less in one record.`,
  });
};

/** The answer while a document's events cannot be published: nothing is lost, nothing more is taken. */
export const outboxFull = (): Fault => {
  refusedWrites().add(1);
  return faults.unavailable({
    detail: 'Earlier changes of this record still wait to be published. Try again in a moment.',
    retryAfterS: 5,
    cause: new HeldUp('a document holds as many unpublished events as it may'),
  });
};

/**
 * Refuses a write whose document holds too many unpublished bytes already.
 *
 * @throws `unavailable`
 */
export const checkOutboxSize = (outbox: readonly EventEnvelope[]): void => {
  if (outbox.length >= limits.outboxEvents) throw outboxFull();
  // An event is at most half of the bound, so that measuring pays only from two of them on.
  if (outbox.length > 1 && BSON.calculateObjectSize({ outbox }) > limits.outboxBytes) throw outboxFull();
};

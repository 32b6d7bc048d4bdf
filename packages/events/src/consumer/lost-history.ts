import type { EventEnvelope } from '@causeway/contracts';

import type { ProducerLog } from '../log/producer-log.ts';

/** Events that a consumer was to go on with are in neither Kafka nor the log of their producer. */
export class HistoryLost extends Error {
  override readonly name = 'HistoryLost';
}

/** The time in a UUIDv7 (RFC 9562 §5.7): of the event that a consumer has had last nothing else may be left. */
const timeOfId = (id: string): string => {
  const ms = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  return Number.isFinite(ms) ? new Date(ms).toISOString() : 'an unknown time';
};

/** What whoever reads that is to do about it. */
export const seeTo = 'Whatever should have come of it did not; discard this once that is seen to';

const wordsOf = (afterEvent: string | undefined, first: EventEnvelope | undefined): string => {
  const from = afterEvent === undefined ? 'from the beginning' : `after ${timeOfId(afterEvent)}`;
  const to = first === undefined ? 'until now' : `until ${first.time}`;
  return `what was published ${from} and ${to} is in neither Kafka nor the log: we were away for longer than it is kept. ${seeTo}`;
};

/**
 * Finds out whether a log still holds what comes after an event. Where its beginning was removed, and the event with it, nobody knows how
 * much is missing in between.
 *
 * @param log - of the producer
 * @param slot - of the log
 * @param afterEvent - the last that a consumer has had; undefined where it has had none
 * @returns what is lost; undefined where nothing is
 */
export const findLostHistory = async (
  log: Pick<ProducerLog, 'read' | 'extent'>,
  slot: number,
  afterEvent: string | undefined,
): Promise<HistoryLost | undefined> => {
  const [first] = await log.read({ slot, from: 1, limit: 1 });
  if (first?.pos === 1) return undefined;
  if (first !== undefined && afterEvent !== undefined) {
    // Of an event that it does not know the log gives its own end.
    const { to } = await log.extent({ slot, upTo: afterEvent });
    const [there] = await log.read({ slot, from: to, limit: 1 });
    if (there?.event.id === afterEvent) return undefined;
  }
  return new HistoryLost(wordsOf(afterEvent, first?.event));
};

import type { EventEnvelope } from '@causeway/contracts';
import type { ClientSession } from 'mongodb';

import type { Inbox, ParkedClaim } from './inbox.ts';

const reason = 'The event was redacted: the person whom it was about has been erased.';

/** What discarding is done with. */
export interface DiscardRedactedOptions {
  readonly inbox: Inbox;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
}

/**
 * Settles a redacted event at a handler without an effect: there is nothing that it could be given, now or after any redrive.
 *
 * @param attempt - of a delivery, or how a parked one is claimed
 * @throws AlreadyHandled
 */
export const discardRedacted = async (
  { inbox, transaction }: DiscardRedactedOptions,
  handler: string,
  event: EventEnvelope,
  attempt: number | ParkedClaim,
): Promise<void> => {
  const row = { status: 'discarded' as const, at: new Date(), reason };
  if (typeof attempt === 'number') return inbox.settle(handler, event.id, row);
  await transaction(async (session) => {
    await inbox.claimParked(handler, event, attempt, session);
    await inbox.collection.updateOne({ _id: { handler, event: event.id } }, { $set: row }, { session });
  });
};

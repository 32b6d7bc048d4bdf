import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

/**
 * Waits for the change of an account that concerns a field: an account is changed by more than a spec does last, by
 * its address being confirmed for one, and what Kafka has brought so far may end before it.
 *
 * @param published - what the service has told
 * @param accountId - whose
 * @param field - which has changed, as the event names it
 * @returns the first such event; rejects after 60 s
 */
export async function accountUpdate(
  published: PublishedEvents,
  accountId: string,
  field: string,
): Promise<EventEnvelope> {
  const [event] = await published.waitFor(
    ({ subject, type, data }) =>
      subject === `account/${accountId}` &&
      type === 'auth.account.updated' &&
      (data as { changed: string[] }).changed.includes(field),
  );
  return event!;
}

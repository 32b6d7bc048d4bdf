import { eventRetentionMs } from '@causeway/contracts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const kafkaDays = eventRetentionMs / dayMs;

/** How long what a service has written is kept, in milliseconds. */
export interface RetentionPeriods {
  /** Of the log: published events, from when they were logged. */
  readonly logMs: number;
  /** An event that is older, and that the inbox does not know, may have had its effect and be forgotten. */
  readonly tooOldMs: number;
  /** Of the inbox: what is done or discarded, from when it was. */
  readonly inboxMs: number;
  /** Of what a projection keeps of a deleted thing, from when it was deleted. */
  readonly deletionMs: number;
  /**
   * Of tombstones, from when the document was deleted; of timers, from when they were released or cancelled;
   * of what administrators have asked for, of discards, and of sagas, from their end.
   */
  readonly tombstoneMs: number;
}

/** Days for which the log is kept where nothing is said. */
export const defaultRetentionDays = 35;

/**
 * The periods that follow from the log's. The inbox remembers for longer than any log has events: whatever is published again from
 * there finds its row. The clocks of services may be an hour apart. A tombstone outlives what projections keep of the deleted thing:
 * a name that is used anew begins at revision 1 only where nobody remembers a higher one.
 *
 * @param days - of the log; more than Kafka's, {@link eventRetentionMs}
 * @throws RangeError
 */
export const retentionPeriods = (days: number = defaultRetentionDays): RetentionPeriods => {
  if (!Number.isInteger(days) || days <= kafkaDays) {
    throw new RangeError(
      `EVENTS_RETENTION_DAYS is ${days}: the log has to outlive Kafka's ${kafkaDays} days, for those who were away for longer.`,
    );
  }
  const logMs = days * dayMs;
  const inboxMs = logMs + dayMs;
  return { logMs, tooOldMs: inboxMs - hourMs, inboxMs, deletionMs: inboxMs, tombstoneMs: inboxMs + dayMs };
};

/**
 * So long the inbox is sure to know what has become of an event (35 days): whether an older one has had its effect cannot be told by
 * a row that is not there.
 */
export const inboxRetentionMs = 35 * 24 * 3_600_000;

/** Whether the inbox may have forgotten an event. */
export const isTooOld = (event: { readonly time: string }, now: Date): boolean =>
  Date.parse(event.time) < now.getTime() - inboxRetentionMs;

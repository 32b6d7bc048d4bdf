const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/**
 * How long after an attempt that the mail server did not take the next one comes, in milliseconds: soon, for a server that restarts or
 * greylists (RFC 6647 §2.1), then ever more seldom. With the last, a day has gone by, in which somebody has noticed.
 */
export const mailDelaysMs: readonly number[] = [
  ...[30_000, 2 * minuteMs, 10 * minuteMs],
  ...[hourMs, 3 * hourMs, 6 * hourMs, 12 * hourMs],
];

/**
 * When a mail is tried again.
 *
 * @param attempt - the one that did not succeed, counted from 1
 * @param delaysMs - between attempts
 * @param random - from 0 to 1: mails that failed together do not come back together
 * @returns so long from now, in milliseconds; undefined where it was the last attempt
 */
export const nextAttemptAfter = (
  attempt: number,
  delaysMs: readonly number[] = mailDelaysMs,
  random: number = Math.random(),
): number | undefined => {
  const delayMs = delaysMs[attempt - 1];
  return delayMs === undefined ? undefined : Math.round(delayMs * (1 + random / 4));
};

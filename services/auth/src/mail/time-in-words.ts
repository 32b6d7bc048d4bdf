/**
 * A time as a mail tells it, to the minute.
 *
 * @param time - ISO 8601, or a date
 * @returns such as `2026-01-31 09:15 UTC`
 */
export const timeInWords = (time: string | Date): string =>
  `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

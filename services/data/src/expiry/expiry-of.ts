import { valueAt } from '../fields/value-at.ts';

/** Until when a record is kept, as its definition says. */
export interface Expiry {
  /** The field that holds the time, dotted, as the administrator wrote it. */
  readonly field: string;
  /** Below a record's `fields`; objects only on the way. */
  readonly segments: readonly string[];
}

/** What the schema's `date-time` takes: RFC 3339, with a space or a small letter too, and offsets without minutes. */
const form = /^(\d{4})-(\d\d)-(\d\d)[tT\s](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[zZ]|([+-])(\d\d)(?::?(\d\d))?)$/;

/**
 * The time that a text names; `Date.parse` does not take all of these forms.
 *
 * @returns undefined for what is no text, or no time
 */
export function timeOf(text: unknown): Date | undefined {
  const parts = typeof text === 'string' ? form.exec(text) : null;
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1, 7).map(Number);
  const [fraction = '', sign = '+', offsetHours = '0', offsetMinutes = '0'] = parts.slice(7);
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1);
  const time = new Date(0);
  // Not by `Date.UTC`, which takes the years before 100 for others.
  time.setUTCFullYear(year, month - 1, day);
  // What is over the hour, such as a leap second, is carried on.
  time.setUTCHours(hours, minutes - offset, seconds, Math.trunc(Number(`0.${fraction}`) * 1_000));
  return time;
}

/** The time until which a record is kept; undefined where it stays. */
export const expiryIn = (expiry: Expiry | undefined, fields: unknown): Date | undefined =>
  expiry === undefined ? undefined : timeOf(valueAt(fields, expiry.segments));

/**
 * The first time at which a record is to be looked at, under its definition and under one that is about to come: which of the two will hold nobody
 * knows yet.
 */
export function firstExpiry(
  {
    expiry,
    pending,
  }: { readonly expiry: Expiry | undefined; readonly pending: { readonly expiry: Expiry | undefined } | undefined },
  fields: unknown,
): Date | undefined {
  const times = [expiryIn(expiry, fields), expiryIn(pending?.expiry, fields)].filter((each) => each !== undefined);
  return times.length === 0 ? undefined : new Date(Math.min(...times.map((each) => each.getTime())));
}

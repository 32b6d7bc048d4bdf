import { z } from 'zod';

/** A link's token in a body. What has another form is a link that is not valid, and no malformed request. */
export const linkToken = z.string().max(2_048).meta({ description: 'The last part of the mailed link.' });

/** Answer to asking for a link: the same, whether or not anybody has the address. */
export const linkSentAnswer = z.object({ status: z.literal('link-sent') });

/** @param events - ids of what was recorded; the same number for an address that is known and one that is not */
export const answerLinkSent = (events: readonly string[]) => ({
  status: 202 as const,
  headers: { 'Cache-Control': 'no-store', ...(events.length === 0 ? {} : { 'Causeway-Event': events.join(', ') }) },
  body: { status: 'link-sent' as const },
});

import { z } from 'zod';

/** A link's token in a body. What has another form is a link that is not valid, and no malformed request. */
export const linkToken = z.string().max(2_048).meta({ description: 'The last part of the mailed link.' });

/** Answer to asking for a link: the same, whether or not anybody has the address. */
export const linkSentAnswer = z.object({ status: z.literal('link-sent') });

/** The answer. It names no event: there is none where the address has had its links, and that would tell that others have asked for it. */
export const answerLinkSent = () => ({
  status: 202 as const,
  headers: { 'Cache-Control': 'no-store' },
  body: { status: 'link-sent' as const },
});

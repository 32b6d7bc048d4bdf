import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import { earlierDeviceToken } from '../sessions/signed-in-answer.ts';
import { answerLinkSent, linkSentAnswer } from './link-answers.ts';
import type { AskForLink } from './ask-for-link.ts';
import type { ProofKind } from './proof-kinds.ts';
import { tooManyLinks } from './proofs.errors.ts';

/** A call by which anybody has a link mailed to an address. */
export interface LinkRequest {
  readonly kind: ProofKind;
  readonly path: `/v1/${string}`;
  readonly operationId: string;
  readonly summary: string;
  /** When something is mailed at all. */
  readonly mailed: string;
}

/** What {@link linkRequestRoute} is given. */
export interface LinkRequestRouteDependencies {
  readonly askForLink: AskForLink;
  readonly cookies: Pick<CookieDelivery, 'deviceTokenOf'>;
}

/** The route of such a call. Whatever address is given, it answers the same. */
export const linkRequestRoute = (
  { askForLink, cookies }: LinkRequestRouteDependencies,
  { kind, path, operationId, summary, mailed }: LinkRequest,
): Route =>
  defineRoute({
    method: 'post',
    ...{ path, operationId, summary },
    tag: 'auth',
    description:
      'The answer is the same for every address. At most five links that still work go to one, and twenty an hour; the newest works. What strangers ask for takes none from a device that was signed in from with the address (`deviceToken`). Whoever asks for many, for whichever addresses, has to wait.',
    access: 'anonymous',
    body: z.strictObject({
      email: emailAddress,
      deviceToken: earlierDeviceToken,
    }),
    bodyLimitBytes: 16_384,
    responses: { 202: { description: mailed, schema: linkSentAnswer } },
    faults: [tooManyLinks],
    async handle(call) {
      const { email, deviceToken = cookies.deviceTokenOf(call) } = call.body;
      await askForLink(call.cause, { kind, email, ip: call.clientIp, deviceToken });
      return answerLinkSent();
    },
  });

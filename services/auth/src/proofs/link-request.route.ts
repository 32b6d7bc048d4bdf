import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
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

/** The route of such a call. Whatever address is given, it answers the same. */
export const linkRequestRoute = (
  { askForLink }: { readonly askForLink: AskForLink },
  { kind, path, operationId, summary, mailed }: LinkRequest,
): Route =>
  defineRoute({
    method: 'post',
    ...{ path, operationId, summary },
    tag: 'auth',
    description:
      'The answer is the same for every address. At most five links an hour go to one; the newest works. Whoever asks for many, for whichever addresses, has to wait.',
    access: 'anonymous',
    body: z.strictObject({ email: emailAddress }),
    bodyLimitBytes: 16_384,
    responses: { 202: { description: mailed, schema: linkSentAnswer, headers: eventHeader } },
    faults: [tooManyLinks],
    handle: async ({ cause, clientIp: ip, body: { email } }) =>
      answerLinkSent(await askForLink(cause, { kind, email, ip })),
  });

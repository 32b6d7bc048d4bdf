import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
import { answerLinkSent, linkSentAnswer } from './link-answers.ts';
import type { ProofKind } from './proof-kinds.ts';
import type { RequestProof } from './request-proof.ts';

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
  { requestProof }: { readonly requestProof: RequestProof },
  { kind, path, operationId, summary, mailed }: LinkRequest,
): Route =>
  defineRoute({
    method: 'post',
    ...{ path, operationId, summary },
    tag: 'auth',
    description: 'The answer is the same for every address. At most five links an hour go to one; the newest works.',
    access: 'anonymous',
    body: z.strictObject({ email: emailAddress }),
    bodyLimitBytes: 16_384,
    responses: { 202: { description: mailed, schema: linkSentAnswer, headers: eventHeader } },
    handle: async ({ cause, body: { email } }) => answerLinkSent(await requestProof(cause, { kind, email })),
  });

import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { typedPassword } from '../passwords/password.ts';
import type { AskForLink } from '../proofs/ask-for-link.ts';
import { linkToken } from '../proofs/link-answers.ts';
import { linkRequestRoute } from '../proofs/link-request.route.ts';
import { linkInvalid } from '../proofs/proofs.errors.ts';
import { noStore } from '../sessions/session-tokens.ts';
import { invalidCredentials } from '../sessions/sessions.errors.ts';
import { eventHeader } from '../sessions/signed-in-answer.ts';
import type { VerifyEmail } from './verify-email.ts';

/** `POST /v1/auth/email/verification` */
export const sendVerificationRoute = (given: { readonly askForLink: AskForLink }): Route =>
  linkRequestRoute(given, {
    kind: 'verify-email',
    path: '/v1/auth/email/verification',
    operationId: 'sendVerification',
    summary: 'Have the link mailed once more that verifies an e-mail address',
    mailed: 'It is mailed, if there is something to verify.',
  });

/** `POST /v1/auth/email/verify` */
export const verifyEmailRoute = ({ verifyEmail }: { readonly verifyEmail: VerifyEmail }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/email/verify',
    operationId: 'verifyEmail',
    tag: 'auth',
    summary: 'Verify an e-mail address by the link that was mailed to it',
    description:
      "Made in a session of the account, or with the account's password: the link alone does not say who made the account.",
    access: 'public',
    body: z.strictObject({ token: linkToken, password: typedPassword.optional() }),
    bodyLimitBytes: 16_384,
    responses: {
      200: {
        description: 'It is verified.',
        schema: z.object({ status: z.literal('verified') }),
        headers: eventHeader,
      },
    },
    faults: [linkInvalid, invalidCredentials, tooManyAttempts],
    async handle({ cause, body, token, clientIp: ip, signal }) {
      const events = await verifyEmail(cause, { ...body, callerId: token?.sub, ip, signal });
      return {
        status: 200,
        headers: { ...noStore, 'Causeway-Event': events.join(', ') },
        body: { status: 'verified' },
      };
    },
  });

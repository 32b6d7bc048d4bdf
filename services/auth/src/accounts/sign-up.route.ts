import type { Cause } from '@causeway/contracts';
import { idempotencyFaults, parseIdempotencyKey } from '@causeway/events';
import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { DeviceTokens } from '../guessing/device-token.ts';
import { newPassword } from '../passwords/password.ts';
import { passwordCommon } from '../passwords/passwords.errors.ts';
import { answerLinkSent } from '../proofs/link-answers.ts';
import { tooManyLinks } from '../proofs/proofs.errors.ts';
import type { SignedIn } from '../sessions/complete-sign-in.ts';
import { cookieHeader, delivery } from '../sessions/cookie-delivery.ts';
import type { CookieDelivery } from '../sessions/cookie-delivery.ts';
import {
  answerSignedIn,
  deviceOf,
  eventHeader,
  signedInAnswer,
  signedInByCookies,
} from '../sessions/signed-in-answer.ts';
import { emailTaken } from './accounts.errors.ts';
import { emailAddress } from './email-address.ts';
import { personName } from './person-name.ts';
import type { SignUpCommand } from './sign-up.ts';

/** Nobody is signed in yet: the keys of all who sign up meet, and have to be random. */
const principal = 'anonymous';

/** @returns the whole answer, as it is stored for repetitions */
export const answerSignedUp = (signedIn: SignedIn, deviceTokens: Pick<DeviceTokens, 'issue'>) => ({
  status: 201 as const,
  ...answerSignedIn(signedIn, deviceTokens),
});

/** Answer to signing up where the address has to be verified first: the same, whether or not anybody has it. */
const verificationSentAnswer = z.object({ status: z.literal('verification-sent') });

/** @returns the whole answer, as it is stored for repetitions */
export const answerVerificationSent = () => ({
  ...answerLinkSent(),
  body: { status: 'verification-sent' as const },
});

/** What is answered. */
export type SignUpAnswer = ReturnType<typeof answerSignedUp> | ReturnType<typeof answerVerificationSent>;

/** Signs up, with an answer that can be repeated. */
export type SignUp = (
  cause: Cause,
  command: SignUpCommand,
) => Promise<{ readonly answer: SignUpAnswer; readonly replayed: boolean }>;

const replayedHeader = { 'Idempotency-Replayed': { description: '`true`: the answer of the first call.' } };

/** What {@link signUpRoute} is given. */
export interface SignUpRouteDependencies {
  readonly signUp: SignUp;
  readonly cookies: CookieDelivery;
}

/** `POST /v1/auth/sign-up` */
export const signUpRoute = ({ signUp, cookies }: SignUpRouteDependencies): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-up',
    operationId: 'signUp',
    tag: 'auth',
    summary: 'Make an account and sign in, or have the link mailed that does',
    description:
      'Where addresses have to be verified first (`EMAIL_VERIFICATION=required`), the answer is 202 for every address: the link that is mailed makes the account (`POST /v1/auth/email/verify`), together with the password where one was chosen. Elsewhere it needs a password, and signs in.',
    access: 'anonymous',
    body: z.strictObject({
      email: emailAddress,
      password: newPassword.optional(),
      name: personName.optional(),
      delivery,
    }),
    bodyLimitBytes: 16_384,
    requestHeaders: {
      'Idempotency-Key': {
        description:
          'Repeating the call with the same key has no second effect: whoever wants another mail takes another key.',
      },
    },
    responses: {
      201: {
        description: 'Signed up, and signed in.',
        schema: z.union([signedInAnswer, signedInByCookies]),
        headers: {
          ...eventHeader,
          ...cookieHeader,
          ...replayedHeader,
        },
      },
      202: {
        description: 'A mail is on its way: the link, or that there is an account with this address.',
        schema: verificationSentAnswer,
        headers: replayedHeader,
      },
    },
    faults: [emailTaken, passwordCommon, tooManyLinks, crossSite, ...idempotencyFaults],
    async handle(call) {
      const { cause, headers, signal } = call;
      const { delivery: kind, ...body } = call.body;
      const key = parseIdempotencyKey(headers['idempotency-key']);
      const request = key === undefined ? undefined : { principal, route: 'POST /v1/auth/sign-up', key, body };
      const command = { ...body, device: deviceOf(call), request, signal };
      const delivered = await cookies.deliver<SignUpAnswer['body']>(call, kind, async () => {
        const { answer, replayed } = await signUp(cause, command);
        const given = replayed ? { ...answer.headers, 'Idempotency-Replayed': 'true' } : answer.headers;
        return { headers: given, body: answer.body };
      });
      return { status: delivered.body.status === 'signed-in' ? 201 : 202, ...delivered };
    },
  });

import { idempotencyFaults, parseIdempotencyKey } from '@causeway/events';
import { crossSite, defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { DeviceTokens } from '../guessing/device-token.ts';
import { newPassword } from '../passwords/password.ts';
import { passwordCommon } from '../passwords/passwords.errors.ts';
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
import type { createSignUp } from './sign-up.ts';

/** Nobody is signed in yet: the keys of all who sign up meet, and have to be random. */
const principal = 'anonymous';

/** @returns the whole answer, as it is stored for repetitions */
export const answerSignedUp = (signedIn: SignedIn, deviceTokens: Pick<DeviceTokens, 'issue'>) => ({
  status: 201 as const,
  ...answerSignedIn(signedIn, deviceTokens),
});

/** Signs up, with an answer that can be repeated. */
export type SignUp = ReturnType<typeof createSignUp<ReturnType<typeof answerSignedUp>>>;

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
    summary: 'Make an account and sign in',
    access: 'anonymous',
    body: z.strictObject({ email: emailAddress, password: newPassword, name: personName.optional(), delivery }),
    bodyLimitBytes: 16_384,
    requestHeaders: {
      'Idempotency-Key': { description: 'Repeating the call with the same key has no second effect.' },
    },
    responses: {
      201: {
        description: 'Signed up, and signed in.',
        schema: z.union([signedInAnswer, signedInByCookies]),
        headers: {
          ...eventHeader,
          ...cookieHeader,
          'Idempotency-Replayed': { description: '`true`: the answer of the first call.' },
        },
      },
    },
    faults: [emailTaken, passwordCommon, crossSite, ...idempotencyFaults],
    async handle(call) {
      const { cause, headers, signal } = call;
      const { delivery: kind, ...body } = call.body;
      const key = parseIdempotencyKey(headers['idempotency-key']);
      const request = key === undefined ? undefined : { principal, route: 'POST /v1/auth/sign-up', key, body };
      const command = { ...body, device: deviceOf(call), request, signal };
      const answer = await cookies.deliver(call, kind, async () => {
        const { answer: signedUp, replayed } = await signUp(cause, command);
        const given = replayed ? { ...signedUp.headers, 'Idempotency-Replayed': 'true' } : signedUp.headers;
        return { headers: given, body: signedUp.body };
      });
      return { status: 201, ...answer };
    },
  });
